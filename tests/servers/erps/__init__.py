# SPDX-License-Identifier: MIT
"""The tables of tests/servers/erp.py, one for each ERP."""
