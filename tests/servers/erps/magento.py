# SPDX-License-Identifier: MIT
"""Magento 2's REST: OAuth 1.0a, signed with HMAC-SHA256 (verified by oauthlib), or the access token as
bearer where the shop allows it; texts are templates with parameters, and a refused signature is a form."""
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from erp import Refused

KEYS = {"consumer_key": "ck-0123456789", "consumer_secret": "mag-secret-1", "token": "tok-0123456789",
        "token_secret": "mag-secret-2"}


class Validator(RequestValidator):
    enforce_ssl, client_key_length, access_token_length, nonce_length = False, (6, 64), (6, 64), (6, 64)
    dummy_client = dummy_access_token = "dummy"

    def check_client_key(self, client_key):
        return True

    def check_access_token(self, request_token):
        return True

    def check_nonce(self, nonce):
        return True

    def validate_timestamp_and_nonce(self, *arguments, **named):
        return True

    def validate_client_key(self, client_key, request):
        return client_key == KEYS["consumer_key"]

    def validate_access_token(self, client_key, token, request):
        return token == KEYS["token"]

    def validate_realms(self, *arguments, **named):
        return True

    def get_client_secret(self, client_key, request):
        return KEYS["consumer_secret"]

    def get_access_token_secret(self, client_key, token, request):
        return KEYS["token_secret"]


class OAuth1:
    endpoint, bearer = ResourceEndpoint(Validator()), False

    def check(self, erp, request):
        said = request.headers.get("Authorization") or ""
        if self.bearer and said == "Bearer " + KEYS["token"]:
            return
        if not said.startswith("OAuth "):
            erp.refuse("credentials")
        ok, _ = self.endpoint.validate_protected_resource_request(
            f"http://{request.host}{request.connection.path}", request.method, request.text, dict(request.headers.items()))
        if not ok:
            raise Refused(401, "oauth_problem=signature_invalid&debug_sbs=", [("Content-Type", "application/x-www-form-urlencoded")])


OPEN = "/magento_version"
AUTH = [OAuth1()]
FAILURES = {
    "credentials": (401, "Magento_Sales::sales", "The consumer isn't authorized to access %resources."),
    "missing": (404, "", "No such entity with id = %s"),
    "invalid": (400, "", "Product that you are trying to add is not available."),
    "locked": (400, "", "Could not save quote: lock wait timeout exceeded"),
}
UNKNOWN = ("", "Request does not match any route.")
KNOWN = {"sku": "24-MB01"}
SEED = {"products": [{"key": "24-MB01"}],
        "orders": [{"key": 1, "increment_id": "000000001", "state": "complete", "status": "complete", "grand_total": 12.1,
                    "total_due": 0, "total_paid": 12.1}],
        "invoices": [{"key": 1, "increment_id": "000000001", "state": 2, "grand_total": 12.1}]}


def fail(status, code, text):
    return {"message": text, **({"parameters": {"resources": code}} if code else {}), "trace": None}


def listed(records, request):
    return 200, {"items": records, "search_criteria": {}, "total_count": len(records)}


# A cart that nobody orders expires: it is not counted as left.
CART = r"/rest/default/V1/guest-carts/(?P<key>cart-\w+)"
CALLS = [
    ("GET /magento_version", "say", None, lambda r, q: (200, "Magento/2.4 (Community)")),
    ("GET /rest/default/V1/store/storeConfigs", "say", None, lambda r, q: (200, [{"id": 1, "code": "default", "locale": "en_US"}])),
    (r"GET /rest/default/V1/products/(?P<key>[\w-]+)", "read", "products", lambda r, q: (200, {"sku": r["key"], "status": 1})),
    ("POST /rest/default/V1/customers", "make", "customers", lambda r, q: (200, {**q.json["customer"], "id": int(r["number"])})),
    ("GET /rest/default/V1/customers/search", "some", "customers",
     lambda r, q: listed([{**x, "id": int(x["number"])} for x in r], q)),
    (r"GET /rest/default/V1/customers/(?P<key>\d+)", "read", "customers", lambda r, q: (200, {**r, "id": int(r["number"])})),
    (r"DELETE /rest/default/V1/customers/(?P<key>\d+)", "drop", "customers", lambda r, q: (200, "true")),
    ("POST /rest/default/V1/guest-carts", "dry", "carts", lambda r, q: (200, f'"cart-{r["number"]}"')),
    (f"POST {CART}/items", "dry", "lines",
     lambda r, q: (200, {"item_id": int(r["number"]), "sku": r["sku"], "qty": r["qty"], "quote_id": r["quote_id"]})),
    (f"POST {CART}/estimate-shipping-methods", "say", None, lambda r, q: (
        200, [{"carrier_code": "flatrate", "method_code": "flatrate", "amount": 5, "available": True}])),
    (f"GET {CART}/totals", "say", None, lambda r, q: (200, {"grand_total": 17.1, "base_currency_code": "EUR", "items_qty": 1})),
    ("GET /rest/default/V1/orders", "some", "orders", listed),
    ("GET /rest/default/V1/invoices", "some", "invoices", listed),
]

GIVEN = {"url": "{erp}", **KEYS, "item": "24-MB01"}
WRONG = {"give": {"consumer_secret": "not-the-secret"}, "step": "open a cart", "code": "signature_invalid"}
INVALID = {"give": {"item": "GONE"}, "code": None, "message": "not available"}
RUNGS = [("the shop answers", "GET /magento_version"), ("the integration may log in", "GET .*/store/storeConfigs"),
         ("the article can be sold", "GET .*/products/"), ("orders can be read", "GET .*/orders$")]


def said(status, text, parameters=None):
    return status, {"message": text, **({"parameters": parameters} if parameters else {}), "trace": None}


LINE, SHIPPING, CREATED = "POST .*/items$", "POST .*/estimate-shipping", "POST .*/customers$"
CASES = [
    ("customer", CREATED, said(400, "A customer with the same email already exists in an associated website."),
     "error_code", "conflict", None, "already exists", "integrator"),
    ("customer", CREATED, said(401, "The consumer isn't authorized to access %resources.", {"resources": "Magento_Customer::customer"}),
     "error_code", "permission", None, "Magento_Customer::customer", "client"),
    ("customer", CREATED, said(400, '"%fieldName" is required. Enter and try again.', {"fieldName": "telephone"}),
     "error_code", "validation", None, '"telephone" is required', "integrator"),
    ("order", LINE, said(404, "No such entity with %fieldName = %fieldValue", {"fieldName": "cartId", "fieldValue": "x1"}),
     "error_code", "not_found", None, "cartId = x1", "integrator"),
    ("order", LINE, said(404, "The product that was requested doesn't exist. Verify the product and try again."),
     "error_code", "not_found", None, "doesn't exist", "client"),
    ("order", LINE, said(400, "Dieses Produkt ist nicht auf Lager."), "error_code", "validation", None, "Lager", "client"),
    ("order", SHIPPING, said(400, "Carrier with such method not found: %1, %2", ["flatrate", "flatrate"]),
     "error_code", "validation", None, "flatrate, flatrate", "client"),
    ("order", LINE, said(404, "Request does not match any route."), "error_code", "contract", None, "route", "integrator"),
    ("order", LINE, said(500, "Internal Error. Details are available in Magento log file. Report ID: webapi-63f1a2b3c4d5e"),
     None, "server_fault", None, "Report ID", "erp-partner", {"Report ID": "webapi-63f1a2b3c4d5e"}),
    ("order", LINE, (500, {"messages": {"error": [{"code": 500, "message": "Server internal error. See details in report api/1093820484"}]}}),
     None, "server_fault", None, "report api", "erp-partner", {"Report ID": "1093820484"}),
    ("order", LINE, (401, "oauth_problem=timestamp_refused", [("Content-Type", "application/x-www-form-urlencoded")]),
     "error_code", "auth", "timestamp_refused", "", "hosting"),
    ("order", LINE, said(429, "Too Many Requests"), None, "rate_limit", None, "Too Many", "integrator"),
]
SWEPT = [("customers", {"key": "71", "number": "71", "lastname": "ERPW-0LEFT0000001", "created_at": "2026-01-02 03:04:05"})]
VERSION = "2.4 (Community)"
