# SPDX-License-Identifier: MIT
"""What the tests of several systems share: scripted servers that note what each
was sent, and a configuration in which a shop's flow also calls the ERP."""
import json
import urllib.request

from harness import Case, ROOT

CONTACTS = {
    "acme": {"name": "Acme", "email": "it@acme.example"},
    "agency": {"name": "Agency", "email": "ops@agency.example"},
    "shop-builder": {"name": "Shop Builder", "email": "dev@shop.example"},
    "erp-house": {"name": "ERP House", "email": "support@erp.example"},
}


class Server:
    """A scripted server: told what to answer, asked what it was sent."""

    def __init__(self, case):
        self.port = case.server("/usr/bin/python3", f"{ROOT}/tests/servers/scripted_http.py").port

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method, path, body=None):
        request = urllib.request.Request(self.url + path, method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def script(self, **answers):
        """script(POST_orders=…) answers POST /orders; a list one after the other."""
        named = {key.replace("_", " /", 1).replace("__", "/"): value for key, value in answers.items()}
        self.ask("PUT", "/_script", {k: v if isinstance(v, list) else [v] for k, v in named.items()})

    def seen(self):
        return json.loads(self.ask("GET", "/_log"))

    def lines(self):
        return [f"{request['method']} {request['path']}" for request in self.seen()]

    def headers(self, line):
        """Of the first request of that line, names in lower case."""
        for request in self.seen():
            if f"{request['method']} {request['path']}" == line:
                return {name.lower(): value for name, value in request["headers"]}
        raise AssertionError(f"{line} was not asked for: {self.lines()}")


class AcrossCase(Case):
    def setUp(self):
        super().setUp()
        self.shop, self.erp_server = Server(self), Server(self)
        self.environment.update(SHOP_KEY="shop-secret-7", ERP_KEY="erp-secret-8")
        self.systems = {
            "shop": {"url": self.shop.url, "timeout": "60s", "headers": {"X-Shop": "one"},
                     "auth": {"bearer": {"token": "${env:SHOP_KEY}"}},
                     "act": {"client": "acme", "erp-partner": "shop-builder", "integrator": "agency"}},
            "erp": {"url": f"{self.erp_server.url}/api", "timeout": "60s",
                    "auth": {"basic": {"username": "probe", "password": "${env:ERP_KEY}"}},
                    "act": {"erp-partner": "erp-house", "hosting": "erp-house"}},
        }
        self.more = {}

    def configure(self, *steps, flows=None, **flow):
        document = {
            "agent": {"store": self.path("erpwatch.db")},
            "mail": {"directory": self.mails, "from": "alerts@agency.example", "fallback": "agency"},
            "contacts": CONTACTS, "systems": self.systems,
            "flows": flows or {"orders": {"system": "shop", "every": "1h", "timeout": "90s", "group": "0s",
                                          "confirm": {"runs": 1}, "priority": "P1",
                                          "notify": ["client", "erp-partner"],
                                          "steps": list(steps), **flow}},
            **self.more,
        }
        self.write("erpwatch.yaml", json.dumps(document))

    def run_flow(self, code, *arguments):
        return self.check(*arguments, code=code)["flows"][0]

    def told(self):
        return sorted(mail["To"].addresses[0].addr_spec for mail in self.read_mails())
