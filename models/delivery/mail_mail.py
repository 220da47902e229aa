import smtplib
from datetime import timedelta

from psycopg2.errors import SerializationFailure

from odoo import fields, models, modules
from odoo.tools import SQL

# A mail that was reserved so long ago, and that nobody holds, was left by a sender that was killed.
GRACE = timedelta(minutes=1)


class MailMail(models.Model):
    _inherit = "mail.mail"

    collection_is_ours = fields.Boolean(
        string="Follow-up Message", readonly=True, help="Sent to a customer at most once, whatever happens."
    )
    collection_sending_since = fields.Datetime(
        string="Being sent since", readonly=True, help="Written before the mail server is asked to take the message."
    )
    collection_is_uncertain = fields.Boolean(
        string="May have been sent",
        readonly=True,
        help="The server stopped between handing the message to the mail server and writing that down.",
    )

    # === ACTION METHODS === #

    # EXTENDS mail
    def mark_outgoing(self):
        """A person wants these mails to go again, whether or not they arrived before."""
        self.check_access("write")
        self.filtered("collection_is_ours").write({"collection_sending_since": False, "collection_is_uncertain": False})
        self.env["collection.action"].sudo()._set_resent(self)
        return super().mark_outgoing()

    # === BUSINESS METHODS === #

    # EXTENDS mail
    def _send(self, auto_commit=False, smtp_session=None, post_send_callback=None, **kwargs):
        """Send reminders at most once: what a killed worker may have sent already is not retried."""
        ours = self.filtered("collection_is_ours")
        if auto_commit is not True:
            if modules.module.current_test:
                return super()._send(auto_commit=auto_commit, smtp_session=smtp_session, **kwargs)
            # Nothing can be reserved in a transaction that may still be undone: the queue sends them in a moment.
            if ours:
                self._trigger_mail_queue()
        else:
            ours._send_once_each(smtp_session, post_send_callback, **kwargs)
        return super(MailMail, self - ours)._send(
            auto_commit=auto_commit, smtp_session=smtp_session, post_send_callback=post_send_callback, **kwargs
        )

    def _send_once_each(self, smtp_session, post_send_callback, **kwargs):
        """Send reminders one by one, each in transactions of its own.

        The mail is reserved and committed before anything leaves the house, and locked while the mail server
        takes it. Who finds a reserved mail that nobody holds knows that its sender was killed, unless it was
        reserved just now: between commit and lock it looks the same.
        """
        for mail in self:
            if not _is_alive(smtp_session):
                # A server that hangs up between two messages has not taken this one: it goes with the next connection.
                self._trigger_mail_queue()
                break
            if not mail._lock_outgoing():
                continue
            if mail.collection_sending_since:
                known_after = mail.collection_sending_since + GRACE
                if known_after <= fields.Datetime.now():
                    mail._give_up_uncertain()
                else:
                    self._trigger_mail_queue(known_after)
                continue
            mail.collection_sending_since = fields.Datetime.now()
            # Another worker may be looking at it: the one that reserved it waits, or nobody would send it.
            if mail._lock_outgoing(wait=True):
                mail._send_reserved(smtp_session, **kwargs)
            if post_send_callback:
                post_send_callback(mail.ids)
        # As Odoo does after each mail.
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _trigger_mail_queue(self, at=None):
        """Trigger the scheduled action of Odoo's mail queue, at once or at a given time."""
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger(at)

    def _lock_outgoing(self, wait=False):
        """Commit, then lock one mail.

        :param bool wait: until another worker lets go of it.
        :return: whether it is still to be sent, and by this worker.
        """
        self.ensure_one()
        # What is reserved must survive this process.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        try:
            self.env.cr.execute(
                SQL(
                    "SELECT id FROM mail_mail WHERE id = %s AND state = 'outgoing' FOR UPDATE %s",
                    self.id,
                    SQL() if wait else SQL("SKIP LOCKED"),
                ),
                log_exceptions=False,
            )
        except SerializationFailure:
            # Another worker has just had it.
            self.env.cr.rollback()
            return False
        return bool(self.env.cr.fetchall())

    def _send_reserved(self, smtp_session, **kwargs):
        """Send a mail that is reserved and locked, and commit what is known of it then."""
        try:
            # The way that Odoo sends one mail, from within ours of sending many.
            super()._send(  # pylint: disable=super-method-mismatch
                auto_commit=False, smtp_session=smtp_session, post_send_callback=None, **kwargs
            )
        except smtplib.SMTPServerDisconnected:
            # The server hung up in the middle of this message: it may have taken it.
            self.env.cr.rollback()
            self._give_up_uncertain()
            return
        if self.exists() and self.state == "exception":
            # The mail server said no: that is certain, and it may be tried again.
            self.collection_sending_since = False
        # As Odoo does after each mail.
        self.env.cr.commit()  # pylint: disable=invalid-commit

    def _give_up_uncertain(self):
        """Mark a mail as perhaps sent: a person decides whether it goes again."""
        reason = self.env._("The server stopped while sending: it is not known whether the message arrived.")
        self.write(
            {
                "state": "exception",
                "failure_type": "unknown",
                "failure_reason": reason,
                "collection_is_uncertain": True,
            }
        )
        self._postprocess_sent_message(
            success_pids=[], success_emails=[], failure_type="unknown", failure_reason=reason
        )
        # As Odoo does after each mail.
        self.env.cr.commit()  # pylint: disable=invalid-commit


def _is_alive(smtp_session):
    """Return whether a mail server still listens; many hang up after so many messages."""
    if not isinstance(smtp_session, smtplib.SMTP):
        return True
    try:
        return smtp_session.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False
