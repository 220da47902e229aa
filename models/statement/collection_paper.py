from odoo import api, fields, models


class CollectionPaper(models.Model):
    """Statements of account, of many customers at once."""

    _inherit = "collection.paper"

    kind = fields.Selection(selection_add=[("statements", "Statements of account")], ondelete={"statements": "cascade"})

    # EXTENDS collection.paper
    @api.model
    def _get_models(self):
        return {**super()._get_models(), "statements": "collection.debtor"}

    # === BUSINESS METHODS - STATEMENTS === #

    def _make_statements(self, record_id):
        """Make the statement of one customer, as the options say.

        :return: ``(file name, content)``.
        :raises AccessError: when whoever asked may not see the customer any more.
        """
        debtor = self._get_record(record_id)
        debtor.check_access("read")
        options = self.options
        dates = {name: fields.Date.to_date(options[name]) for name in ("date_from", "date_to")}
        render = debtor._render_statement_xlsx if options["ending"] == "xlsx" else debtor._render_statement_pdf
        return render(options["kind_of_statement"], **dates)
