from odoo import fields, models


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

    # EXTENDS mail
    def _send(self, auto_commit=False, post_send_callback=None, **kwargs):
        """Send reminders at most once: what a killed worker may have sent already is not sent again by itself."""
        ours = self.filtered("collection_is_ours") if auto_commit is True else self.browse()
        for mail in ours.filtered(lambda mail: mail.state == "outgoing"):
            if mail.collection_sending_since:
                mail._give_up_uncertain()
            else:
                mail.collection_sending_since = fields.Datetime.now()
                self.env.cr.commit()  # pylint: disable=invalid-commit - reserved before anything leaves the house
                super(MailMail, mail)._send(auto_commit=auto_commit, post_send_callback=post_send_callback, **kwargs)
                if mail.exists() and mail.state == "exception":
                    # The mail server said no: that is certain, and it may be tried again.
                    mail.collection_sending_since = False
                    self.env.cr.commit()  # pylint: disable=invalid-commit - as Odoo does after each mail
        rest = self - ours
        return super(MailMail, rest)._send(auto_commit=auto_commit, post_send_callback=post_send_callback, **kwargs)

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
        self.env.cr.commit()  # pylint: disable=invalid-commit - as Odoo does after each mail
