# SPDX-License-Identifier: MIT
"""What the tests of flows share: a scripted server and a configuration with one
flow against it."""
import json
import urllib.request

from harness import Case, ROOT

HEAD = """
agent: {{store: {folder}/erpwatch.db}}
mail: {{directory: {folder}/mail, from: "Monitor <alerts@agency.example>", fallback: agency}}
contacts: {{agency: {{name: Agency, email: ops@agency.example}}}}
systems:
  erp:
    url: http://127.0.0.1:{port}/api
    timeout: 60s
    act: {{erp-partner: agency, client: agency, integrator: agency, hosting: agency}}
{system}
flows:
  orders:
    system: erp
    every: 1h
    timeout: {timeout}
    priority: P1
    notify: [client]
    steps:
"""


class FlowCase(Case):
    def setUp(self):
        super().setUp()
        self.http = self.server("/usr/bin/python3", f"{ROOT}/tests/servers/scripted_http.py")

    def ask(self, method, path, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.http.port}{path}", method=method,
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def script(self, answers):
        self.ask("PUT", "/_script", {k: v if isinstance(v, list) else [v] for k, v in answers.items()})

    def requests(self):
        return [f"{r['method']} {r['path']}" for r in json.loads(self.ask("GET", "/_log"))]

    def requests_in_full(self):
        return json.loads(self.ask("GET", "/_log"))

    def flow(self, steps, system="", timeout="90s"):
        steps = "\n".join("      " + line for line in steps.strip("\n").splitlines())
        self.write("erpwatch.yaml", HEAD.format(folder=self.folder, port=self.http.port, system=system,
                                                timeout=timeout) + steps + "\n")

    def run_flow(self, code, *arguments):
        return self.check(*arguments, code=code)["flows"][0]
