# SPDX-License-Identifier: MIT
"""A plain OData service, V4, or V2 where that is all that is asked for: another shape of records and of
failures, a delete that wants If-Match, and metadata in XML."""
import hmac

from erp import Basic


class Service(Basic):
    version = "4.0"

    def check(self, erp, request):
        Service.version = request.headers.get("OData-MaxVersion") or "4.0"
        super().check(erp, request)


OPEN = "/odata/?"
AUTH = [Service("shop", "odata-secret-1")]
FAILURES = {
    "credentials": (401, "Unauthorized", "The user name or password is wrong."),
    "forbidden": (403, "Forbidden", "You are not allowed to read this entity set."),
    "missing": (404, "ResourceNotFound", "Resource not found for the segment 'Customers' with key %s."),
    "invalid": (400, "BadRequest", "The value '%s' of the property 'Group' is not one of those allowed."),
    "locked": (423, "Locked", "The record is locked by another user."),
}
UNKNOWN = ("ResourceNotFound", "Resource not found for the segment.")
KNOWN = {"Group": "retail"}
SEED = {"customers": [{"key": "C1", "Id": "C1", "Name": "A customer", "CreatedAt": "2026-01-01T00:00:00Z"}]}
METADATA = ('<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
            '<Schema Namespace="Sales" xmlns="http://docs.oasis-open.org/odata/ns/edm"><EntityContainer Name="All">'
            '<EntitySet Name="Customers" EntityType="Sales.Customer"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>')


def fail(status, code, text):
    return {"error": {"code": code, "message": {"lang": "en", "value": text} if Service.version == "2.0" else text}}


def shown(record):
    number = record["key"]
    body = {**{k: v for k, v in record.items() if k not in ("key", "number")}, "Id": number}
    return {**body, "__metadata": {"uri": f"/odata/Customers('{number}')"}} if Service.version == "2.0" else body


def one(record):
    body = shown(record)
    return {"d": body} if Service.version == "2.0" else {"@odata.context": "$metadata#Customers/$entity", **body}


def listed(records, request):
    found = [shown(r) for r in records][:int(request.query.get("$top", 100))]
    return 200, {"d": {"results": found}} if Service.version == "2.0" else {"@odata.context": "$metadata#Customers", "value": found}


CUSTOMER = r"/odata/Customers\('(?P<key>.+)'\)"
CALLS = [
    ("GET /odata/?", "say", None, lambda r, q: (200, {"value": [{"name": "Customers", "url": "Customers"}]})),
    (r"GET /odata/\$metadata", "say", None, lambda r, q: (200, METADATA)),
    ("GET /odata/Customers", "some", "customers", listed),
    ("POST /odata/Customers", "make", "customers", lambda r, q: (201, one(r))),
    (f"GET {CUSTOMER}", "read", "customers", lambda r, q: (200, one(r))),
    (f"DELETE {CUSTOMER}", "drop", "customers",
     lambda r, q: (204, None) if q.headers.get("If-Match") else (428, fail(428, "428", "Precondition Required"))),
]

LOGIN = {"basic": {"username": "shop", "password": "odata-secret-1"}}
GIVEN = {"url": "{erp}/odata", "entity_set": "Customers", "body": {"Name": "{{mark}}", "Group": "retail"}}
RUNGS = [("the server answers", "GET /odata/?$"), ("the metadata can be read", "GET /odata/.metadata"), ("records can be read", "GET /odata/Customers$")]
POSTED = "POST /odata/Customers"
CASES = [
    ("create", POSTED, (400, {"error": {"code": "", "message": "Could not find a property named 'Nmae' on type 'Sales.Customer'."}}),
     "error_code", "contract", None, "Nmae", "integrator"),
    ("create", POSTED, (428, {"error": {"code": "428", "message": "Precondition Required"}}),
     None, "contract", None, "Precondition", "integrator"),
    ("create", POSTED, (403, "CSRF token validation failed"), None, "auth", None, "CSRF", "integrator"),
    ("read", "GET /odata/Customers$", (400, {"odata.error": {"code": "", "message": {
        "lang": "en-US", "value": "The query specified in the URI is not valid. Term 'x' is not valid in a $select expression."}}}),
     "error_code", "contract", None, "query specified", "integrator"),
    ("read", r"GET /odata/Customers\(", (404, '<error xmlns="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><code>404</code>'
                                        '<message xml:lang="en">The record C1 was not found.</message></error>'),
     "error_code", "not_found", "404", "C1", "client"),
    ("create", POSTED, (400, {"error": {"code": "InvalidValue", "message": "Cannot convert the literal 'x' to the expected type 'Edm.Decimal'."}}),
     "error_code", "validation", "InvalidValue", "Edm.Decimal", "integrator"),
    ("create", POSTED, (405, {"error": {"code": "405", "message": "Create is not possible for this entity set."}}),
     None, "contract", None, "not possible", "integrator"),
]
SWEPT = [("customers", {"key": "C71", "Id": "C71", "Name": "ERPW-0LEFT0000001", "CreatedAt": "2026-01-02T03:04:05Z"})]
VERSION = hmac.digest(b"Customers", METADATA.encode(), "sha256").hex()
