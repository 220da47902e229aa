import logging
from datetime import date

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY
from odoo.tools import SQL, email_normalize

_logger = logging.getLogger(__name__)


class AccountSettled(UserError):
    """There is nothing to list on a statement."""


class CollectionStatement(models.Model):
    """A statement of account that was sent to a customer, or waits to be sent.

    A statement informs; it is no reminder. It stands on the debtor's thread and in the ledger of
    actions as a note, and so neither counts for the days between two reminders nor as a contact.
    """

    _name = "collection.statement"
    _description = "Statement of Account"
    _inherit = ["collection.reach.mixin", "collection.state.mixin", "collection.contact.mixin"]
    _contact_fields = ("contact_id",)
    _order = "id desc"
    _state_initial = "waiting"
    _state_transitions = {
        "waiting": ("sent", "failed", "cancelled"),
        # What came back, or never left, was not sent.
        "sent": ("failed",),
        "failed": ("waiting", "cancelled"),
    }
    _is_of_system = True
    _states_on_file = frozenset({"sent"})

    debtor_id = fields.Many2one("collection.debtor", required=True, readonly=True, index=True, ondelete="restrict")
    company_id = fields.Many2one(related="debtor_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="debtor_id.partner_id", store=True)
    user_id = fields.Many2one(
        "res.users", string="Asked for by", readonly=True, help="Empty: sent regularly, as the settings say."
    )
    kind = fields.Selection(
        [("open", "Open items"), ("movements", "All movements between two dates")],
        required=True,
        readonly=True,
        default="open",
    )
    date_from = fields.Date(string="From", readonly=True)
    date_to = fields.Date(string="To", readonly=True)
    attach_xlsx = fields.Boolean(string="XLSX too", readonly=True)
    is_overruled = fields.Boolean(
        readonly=True, help="Who asked for it knows of the reasons to leave the customer alone, and overrules them."
    )
    period = fields.Date(
        readonly=True, help="First day of the month or quarter for which it was sent regularly: once at most."
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed"), ("cancelled", "Cancelled")],
        required=True,
        readonly=True,
        default="waiting",
        index=True,
    )
    date_sent = fields.Datetime(string="Sent on", readonly=True)
    contact_id = fields.Many2one("res.partner", string="Sent to", readonly=True)
    mail_message_id = fields.Many2one("mail.message", string="Message", readonly=True, ondelete="set null")
    result_text = fields.Char(string="Why not", readonly=True, copy=False)

    _period_unique = models.UniqueIndex(
        "(debtor_id, period) WHERE period IS NOT NULL",
        "This customer got the statement of this period already.",
    )

    # === COMPUTE METHODS === #

    @api.depends("partner_id", "kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for statement in self:
            statement.display_name = self.env._(
                "%(name)s: %(text)s",
                name=kinds.get(statement.kind, ""),
                text=statement.partner_id.name or "",
            )

    # === ACTION METHODS === #

    def action_retry(self):
        """Send again what failed, once the cause is fixed."""
        self.check_access("read")
        failed = self.sudo().filtered(lambda statement: statement.state == "failed")
        failed._set_state("waiting", result_text=False)
        self._trigger_cron()

    def action_cancel(self):
        """Cancel what was not sent yet."""
        self.check_access("read")
        self.sudo().filtered(lambda statement: statement.state in ("waiting", "failed"))._set_state("cancelled")

    # === BUSINESS METHODS === #

    @api.model
    def _request(self, debtors, **vals):
        """Queue a statement for each of these debtors; a scheduled action sends it.

        :param debtors: debtors that the user may see.
        :param vals: ``kind``, ``date_from``, ``date_to``, ``attach_xlsx``.
        :return: the statements, waiting.
        """
        debtors.check_access("read")
        statements = self.sudo().create(
            [{"debtor_id": debtor.id, "user_id": self.env.uid, **vals} for debtor in debtors]
        )
        self._trigger_cron()
        return statements.with_env(self.env)

    @api.model
    def _trigger_cron(self):
        """Trigger the scheduled action that sends statements; it runs once this transaction is committed."""
        self.env.ref("account_collection.cron_send_statements").sudo()._trigger()

    def _get_refusal(self):
        """Return why this statement can't be sent now, ``False`` when it can."""
        self.ensure_one()
        debtor = self.debtor_id
        contact = self.contact_id or debtor._get_statement_contact()
        if contact.commercial_partner_id != debtor.partner_id:
            return self.env._(
                "%(contact)s is no contact of %(customer)s.", contact=contact.name, customer=debtor.partner_id.name
            )
        if not email_normalize(contact.email or ""):
            return self.env._("%s has no valid e-mail address.", contact.name or debtor.partner_id.name)
        if self.period and email_normalize(contact.email) in debtor._get_refused_emails(contact):
            return self.env._(
                "No contact of %s has an e-mail address that works: write one on a contact.", debtor.partner_id.name
            )
        refused = [silence for silence in self._get_silences(contact) if silence.is_final or not self.is_overruled]
        return debtor._describe_silences(refused)

    def _get_silences(self, contact):
        """Return the reasons not to send a statement to a contact of this customer."""
        self.ensure_one()
        return self.debtor_id._get_silences("statement", contact.email or "")[self.debtor_id]

    def _send(self, subject=None, body=None):
        """Send this statement to the customer, in the customer's language, and write it down.

        :param str subject: instead of that of the template.
        :param body: instead of that of the template, as ``Markup``.
        :raises UserError: with the reason why not.
        """
        self.ensure_one()
        if reason := self._get_refusal():
            raise UserError(reason)
        debtor = self.debtor_id._with_statement_env()
        dates = {"kind": self.kind, "date_from": self.date_from, "date_to": self.date_to}
        statement = debtor._get_statement(**dates)
        if statement.is_empty:
            raise AccountSettled(self.env._("There is nothing to list: the account is settled."))
        attachments = [debtor._render_statement_pdf(**dates, statement=statement)]
        if self.attach_xlsx:
            attachments.append(debtor._render_statement_xlsx(**dates, statement=statement))
        contact = self.contact_id or debtor._get_statement_contact()
        overruled = self._get_silences(contact)
        default_subject, default_body = self._render_message(debtor)
        message = debtor.message_post(
            subject=subject or default_subject,
            body=body or default_body,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
            partner_ids=contact.ids,
            attachments=attachments,
            author_id=(self.user_id.partner_id or debtor.company_id.partner_id).id,
            email_from=debtor.company_id._get_collection_sender(),
            email_layout_xmlid="mail.mail_notification_light",
            email_add_signature=False,
        )
        self._set_state(
            "sent",
            date_sent=fields.Datetime.now(),
            contact_id=contact.id,
            mail_message_id=message.id,
            result_text=False,
        )
        action = self.env["collection.action"]._log(
            self.debtor_id,
            "note",
            user_id=self.user_id.id or SUPERUSER_ID,
            contact_id=contact.id,
            summary=self.env._("Statement of account sent by e-mail"),
            amount=0,
            mail_message_id=message.id,
        )
        if overruled:
            action._note_overruled(self.debtor_id._describe_silences(overruled), self.user_id)

    @api.model
    def _note_failure(self, actions):
        """Mark statements as failed whose e-mail came back or never left.

        :param actions: ``collection.action`` records that failed, with the reason.
        """
        failed = actions.filtered(lambda action: action.channel == "note" and action.mail_message_id)
        if not failed:
            return
        statements = self.sudo().search([("mail_message_id", "in", failed.mail_message_id.ids), ("state", "=", "sent")])
        for action in failed:
            own = statements.filtered(
                lambda statement, message=action.mail_message_id: statement.mail_message_id == message
            )
            own._set_state("failed", result_text=action.result_text)

    def _render_message(self, debtor):
        """Return the words that go along: ``(subject, body)`` in the customer's language."""
        template = self.env.ref("account_collection.mail_template_statement", raise_if_not_found=False)
        if not template:
            title = debtor.env["report.account_collection.statement_page"]._get_title(None)
            return f"{debtor.company_id.name}: {title}", False
        template = template.sudo().with_context(lang=debtor.env.lang)
        rendering = {"set_lang": debtor.env.lang}
        return (
            template._render_field("subject", debtor.ids, **rendering)[debtor.id],
            template._render_field("body_html", debtor.ids, engine="qweb", **rendering)[debtor.id],
        )

    def _send_alone(self):
        """Send this statement so that what is wrong with it can't stop the others."""
        # What is written on file is for those who asked for it, else for the company's people.
        reader = self.user_id.partner_id or self.company_id.partner_id
        self = self.with_context(lang=reader.lang or self.env.lang)  # noqa: PLW0642
        try:
            with self.env.cr.savepoint():
                self._send()
        except AccountSettled as error:
            # Who paid since a regular statement was planned needs none; who asked for one is notified.
            self._set_state("cancelled" if self.period else "failed", result_text=str(error))
        except UserError as error:
            self._set_state("failed", result_text=str(error))
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception:
            _logger.exception("The statement of %s could not be sent.", self.debtor_id.display_name)
            self._set_state("failed", result_text=self.env._("An unexpected error: see the server's log."))

    # === BUSINESS METHODS - REGULAR STATEMENTS === #

    @api.model
    def _get_period(self, frequency, today: date):
        """Return the first day of the month or quarter that a day lies in.

        :param str frequency: ``monthly`` or ``quarterly``.
        """
        month = today.month if frequency == "monthly" else 3 * ((today.month - 1) // 3) + 1
        return today.replace(month=month, day=1)

    @api.model
    def _plan_regular(self, company):
        """Queue the statements of this period, once per customer at most.

        Left out: customers without open items or e-mail address, in insolvency proceedings or
        paused. A paused one gets it when the pause ends within the period. Nothing is planned outside of the
        company's hours and days of sending.

        :param company: one company.
        :return: how many were planned.
        """
        if not company._is_collection_sending_time():
            return 0
        today = company._collection_today()
        planned = 0
        self.env.flush_all()
        for frequency in ("monthly", "quarterly"):
            period = self._get_period(frequency, today)
            if today < period.replace(day=company.collection_statement_day):
                continue
            rows = self.env.execute_query(
                SQL(
                    """
                    INSERT INTO collection_statement
                           (debtor_id, company_id, partner_id, kind, period, state, state_date,
                            create_uid, create_date, write_uid, write_date)
                    SELECT id, company_id, partner_id, 'open', %(period)s, 'waiting', %(now)s,
                           %(uid)s, %(now)s, %(uid)s, %(now)s
                      FROM collection_debtor
                     WHERE company_id = %(company)s
                       AND active
                       AND insolvency IS NOT TRUE
                       AND (paused_until IS NULL OR paused_until <= %(today)s)
                       AND has_email
                       AND open_item_count > 0
                       AND COALESCE(statement_period, %(default)s) = %(frequency)s
                    ON CONFLICT (debtor_id, period) WHERE period IS NOT NULL DO NOTHING
                    RETURNING id
                    """,
                    period=period,
                    now=fields.Datetime.now(),
                    uid=self.env.uid,
                    company=company.id,
                    today=today,
                    default=company.collection_statement_period,
                    frequency=frequency,
                )
            )
            planned += len(rows)
        self.invalidate_model()
        return planned

    @api.model
    def _get_waiting_domain(self):
        """Return the domain of what is to be sent now: regular ones within the hours and days of sending alone.

        What a person asked for goes at once.
        """
        companies = self.env["res.company"].sudo().search([("active", "=", True)])
        sending = companies.filtered(lambda company: company._is_collection_sending_time())
        return Domain("state", "=", "waiting") & (
            Domain("period", "=", False) | Domain("company_id", "in", sending.ids)
        )

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_send(self, batch_size=100):
        """See ``collection.run``."""
        self.env["collection.run"]._cron_send_statements(batch_size)
