#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fills an empty Tryton database so that it can sell: a company, its accounts, a
fiscal year, one product, users. Usage: tryton_seed.py CONFIG DATABASE OUT"""
import datetime
import json
import os
import sys
from decimal import Decimal

from trytond.config import config as settings

settings.update_etc(sys.argv[1])

from proteus import Model, Wizard, config as proteus  # noqa: E402

client = proteus.set_trytond("sqlite:///" + sys.argv[2], config_file=sys.argv[1])


def data(model, module, name):
    found, = Model.get("ir.model.data").find([("module", "=", module), ("fs_id", "=", name)])
    return Model.get(model)(found.db_id)


def new(model, **fields):
    record = Model.get(model)()
    for name, value in fields.items():
        setattr(record, name, value)
    record.save()
    return record


def company():
    euro = new("currency.currency", name="Euro", code="EUR", symbol="€", numeric_code="978",
               rounding=Decimal("0.01"), digits=2)
    euro.rates.new(date=datetime.date(2000, 1, 1), rate=Decimal(1))
    euro.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = new("party.party", name="Test Company")
    wizard.form.currency = euro
    wizard.execute("add")
    User = Model.get("res.user")
    client._context = User.get_preferences(True, {})
    return Model.get("company.company").find([])[0]


def accounts(owner):
    Account = Model.get("account.account")
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = data("account.account.template", "account", "account_template_root_en")
    wizard.form.company = owner
    wizard.execute("create_account")
    mine = [("company", "=", owner.id)]
    wizard.form.account_receivable, = Account.find([("type.receivable", "=", True), *mine], limit=1)
    wizard.form.account_payable, = Account.find([("type.payable", "=", True), *mine], limit=1)
    wizard.execute("create_properties")
    revenue, = Account.find([("type.revenue", "=", True), *mine], limit=1)
    expense, = Account.find([("type.expense", "=", True), *mine], limit=1)
    return revenue, expense


def fiscal_years(owner):
    kinds = {kind.name: kind for kind in Model.get("ir.sequence.type").find([])}
    this_year = datetime.date.today().year
    for year in (this_year, this_year + 1):
        fiscal = Model.get("account.fiscalyear")(name=str(year), company=owner)
        fiscal.start_date, fiscal.end_date = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
        fiscal.post_move_sequence = new("ir.sequence", name=f"Moves {year}", company=owner,
                                        sequence_type=kinds["Account Move"])
        invoices = new("ir.sequence.strict", name=f"Invoices {year}", company=owner, prefix=f"{year}-",
                       sequence_type=kinds["Invoice"])
        line, = fiscal.invoice_sequences
        line.out_invoice_sequence = line.in_invoice_sequence = invoices
        line.out_credit_note_sequence = line.in_credit_note_sequence = invoices
        fiscal.save()
        fiscal.click("create_period")


def product(revenue, expense):
    term = Model.get("account.invoice.payment_term")(name="Direct")
    term.lines.new(type="remainder")
    term.save()
    unit, = Model.get("product.uom").find([("name", "=", "Unit")])
    category = new("product.category", name="Services", accounting=True, account_expense=expense,
                   account_revenue=revenue)
    template = Model.get("product.template")(name="A service", default_uom=unit, type="service", salable=True,
                                             list_price=Decimal("30.00"), account_category=category)
    template.products[0].suffix_code = "SERVICE"
    template.save()
    return term, unit, template.products[0]


def user(login, groups, owner):
    record = Model.get("res.user")(login=login, name=login, password=os.environ["TRYTON_PASSWORD"])
    for group in groups:
        record.groups.append(Model.get("res.group")(group.id))
    record.companies.append(Model.get("company.company")(owner.id))
    record.company = owner
    record.save()


owner = company()
revenue, expense = accounts(owner)
fiscal_years(owner)
term, unit, service = product(revenue, expense)
user("flow", [data("res.group", "sale", "group_sale"), data("res.group", "account", "group_account")], owner)
user("nobody", [], owner)
with open(sys.argv[3], "w", encoding="utf-8") as out:
    json.dump({"company": owner.id, "term": term.id, "unit": unit.id, "product": service.id}, out)
