"""Turns the company of a fresh database into a French one in euros. Odoo's shell runs it."""
# ruff: noqa: F821 - the shell knows ``env``

company = env.company
company.write({"name": "Société Témoin", "country_id": env.ref("base.fr").id, "email": "compta@temoin.example"})
company.currency_id = env.ref("base.EUR")
env["account.chart.template"].try_loading("fr", company, install_demo=False)
# Customer payments post straight to the bank account: Community then gives them a journal entry.
bank = env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)], limit=1)
bank.inbound_payment_method_line_ids.payment_account_id = bank.default_account_id
env.cr.commit()
