import logging

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError

_logger = logging.getLogger(__name__)

# Known to this file only: a context that comes from RPC can't contain it.
_GATEWAY = object()


class MailThread(models.AbstractModel):
    """What came in by e-mail, and what somebody only says came in.

    ``message_process`` answers to every session and works as the system. What a message proves, such as the
    acknowledgement of a promise, it proves only when Odoo fetched it from a mail server, or when a mail server hands
    it over: with ``odoo-mailgate.py`` this is done as an administrator of the database, as Odoo documents it.
    """

    _inherit = "mail.thread"

    # EXTENDS mail
    @api.model
    def message_process(self, *args, **kwargs):
        """Process an e-mail; see Odoo. Whether it came from the mail gateway is known to whatever it changes."""
        is_gateway = self._may_deliver_mail()
        if not is_gateway:
            _logger.info("User %s is no mail gateway: what they deliver counts as no customer's answer.", self.env.uid)
        thread = self.with_context(collection_gateway=_GATEWAY if is_gateway else False)
        return super(MailThread, thread).message_process(*args, **kwargs)

    # EXTENDS mail
    @api.model
    def _message_route_process(self, message, message_dict, routes):
        """Let nobody but the mail gateway make records of ours, or write on those that the user may not read.

        Odoo works as the system here, with whatever values the caller of ``message_process`` asks for.
        """
        if not self._is_from_gateway():
            for model, thread_id, *_rest in routes or ():
                if model and model.startswith("collection."):
                    self._check_delivered_by_hand(model, thread_id)
        return super()._message_route_process(message, message_dict, routes)

    def _check_delivered_by_hand(self, model, thread_id):
        """Check that a user may add to the messages of a record what they say came in by e-mail.

        :raises AccessError: when they may not read it, or there is none.
        """
        if not thread_id:
            raise AccessError(self.env._("Only the mail gateway makes records of e-mails."))
        self.env[model].browse(thread_id).sudo(False).check_access("read")

    def _may_deliver_mail(self):
        """Return whether what is delivered came in by e-mail: Odoo fetched it, or an administrator hands it over."""
        return (
            self._is_from_gateway()
            or self.env.uid == SUPERUSER_ID
            or self.env.user.sudo().has_group("base.group_system")
        )

    def _is_from_gateway(self):
        """Return whether what happens now is the processing of an e-mail that came in."""
        return self.env.context.get("collection_gateway") is _GATEWAY


class FetchmailServer(models.Model):
    _inherit = "fetchmail.server"

    # EXTENDS mail
    def _fetch_mail(self, *args, **kwargs):
        return super(FetchmailServer, self.with_context(collection_gateway=_GATEWAY))._fetch_mail(*args, **kwargs)
