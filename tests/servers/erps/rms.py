# SPDX-License-Identifier: MIT
"""A service that a partner built in front of Dynamics RMS, which has none of its own: it tells its state
and an item; what fails behind it comes as SQL Server's own words with HTTP 500."""
from datetime import datetime, timedelta, timezone

from erp import Basic

AUTH = [Basic("probe", "rms-secret-1")]
FAILURES = {
    "credentials": (401, "401", "Unknown user"),
    "missing": (404, "404", "No such item"),
    "login": (500, "18456", "Login failed for user 'rms_reader'."),
    "database": (500, "4060", "Cannot open database \"STORE01\" requested by the login. The login failed."),
    "deadlock": (500, "1205", "Transaction (Process ID 54) was deadlocked on lock resources with another process and has been chosen "
                              "as the deadlock victim. Rerun the transaction."),
    "object": (500, "208", "Invalid object name 'dbo.TransactionEntryX'."),
    "timeout": (500, "-2", "Execution Timeout Expired. The timeout period elapsed prior to completion of the operation."),
    "network": (500, "53", "A network-related or instance-specific error occurred while establishing a connection to SQL Server."),
    "full": (500, "9002", "The transaction log for database 'STORE01' is full due to 'LOG_BACKUP'."),
}


def fail(status, code, text):
    return {"error": {"number": code, "message": text}}


def state(age=timedelta(minutes=5), waiting=3):
    newest = datetime.now(timezone.utc) - age
    return 200, {"store": {"id": 1, "newestTransaction": newest.strftime("%Y-%m-%dT%H:%M:%SZ")}, "pendingWorksheets": waiting}


CALLS = [("GET /api/status", "say", "", lambda r, q: state()),
         ("GET /api/items/1", "say", "", lambda r, q: (200, {"item": {"itemLookupCode": "SKU-1", "quantity": 4}}))]

GIVEN = {"url": "{erp}/api", "username": "probe", "password": "rms-secret-1"}
RUNGS = [("the service answers", None, "maintenance"),
         ("it knows the store's state", "GET", (200, {"store": {"id": 1}}))]


def told(cause, act, code):
    return "item", "/items/", {"class": "error_code", "cause": cause, "act": act, "code": code}


FAMILIES = {"login": told("auth", "erp-partner", "18456"), "database": told("unavailable", "erp-partner", "4060"),
            "deadlock": told("locked", "erp-partner", "1205"), "object": told("contract", "erp-partner", "208"),
            "timeout": told("unavailable", "erp-partner", "-2"), "network": told("unavailable", "hosting", "53"),
            "full": told("unavailable", "erp-partner", "9002")}
