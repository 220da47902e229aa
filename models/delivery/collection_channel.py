from odoo import api, models


class CollectionChannel(models.AbstractModel):
    """A way to reach customers. One small model per channel, ``collection.channel.<name>``, with the same four hooks.

    To add a channel (WhatsApp, for example) extend the selections ``collection.plan.step.channel`` and
    ``collection.action.channel``, and write a model ``collection.channel.whatsapp`` that inherits this one.
    All hooks get actions of one company, in an environment of that company.
    """

    _name = "collection.channel"
    _description = "Follow-up Channel"

    # Whether Odoo sends these messages itself; otherwise people do them from “My Day”.
    _is_sent_by_odoo = False

    # === HOOKS === #

    def _applicable(self, actions):
        """Return for which actions this channel can't be used, and resolve the addresses of the others.

        :return: ``{action: reason in words}``; actions that can go are left out.
        """
        return {}

    def _carries_files(self, step):
        """Return whether the messages of a step carry files, or are printed: each then has a transaction of its own."""
        return False

    def _get_files_to_make(self, action):
        """Return what has to be made into files before a message can go, one after the other.

        Called before the customer is locked, in a transaction of its own; so is each function.

        :param action: one action, due, whose recipient is known.
        :return: list of functions without arguments; each makes one file and keeps it where ``_prepare`` finds it.
        """
        return []

    def _prepare(self, actions):
        """Return what is to be sent.

        Only what has something to claim gets here, see ``collection.action._prepare_messages``.

        :return: ``{action: dict}`` with at least ``rows``, the claimed items (see ``_get_claimable_items``).
        """
        rows = self._get_rows(actions)
        return {action: {"rows": rows[action.debtor_id]} for action in actions}

    def _send(self, payloads):
        """Hand messages over to what sends them, in the same transaction.

        :param payloads: what ``_prepare`` returned.
        :return: ``{action: values to write on it}``.
        """
        return {action: {} for action in payloads}

    def _result(self, actions):
        """Return the delivery results of messages that were handed over.

        :return: ``{action: (delivery_state, reason)}``; those of which nothing is known yet are left out.
        """
        return {}

    def _lacks(self, steps):
        """Return the codes of what this server lacks to say these steps by this channel, see ``_describe_lack``."""
        return []

    # === HELPERS === #

    def _get_rows(self, actions):
        """Return the items that each message names: what is overdue, and what a step before the due date is about.

        :return: ``{debtor: rows}``, see ``_get_claimable_items``.
        """
        horizons = {action.debtor_id: max(-action.step_id.delay, 0) for action in actions}
        return actions.debtor_id._get_claimable_items_by_debtor(horizons)

    def _can_say(self, step):
        """Return whether a step has the words that this channel needs."""
        return True

    def _is_automatic(self, company):
        """Return whether Odoo sends the messages of this channel for a company."""
        return self._is_sent_by_odoo

    @api.model
    def _get(self, channel):
        """Return the model of a channel.

        :param str channel: value of ``collection.action.channel``.
        """
        return self.env[f"collection.channel.{channel}"]

    @api.model
    def _get_lacks(self, company, steps):
        """Return the codes of what this server lacks to carry steps of a company out, each once."""
        codes = []
        for name, own in steps.grouped("channel").items():
            channel = self._get(name).with_company(company)
            codes += [code for code in channel._lacks(own) if code not in codes]
        return codes

    @api.model
    def _describe_lack(self, code):
        """Return in words what the server lacks, and what happens then."""
        return {
            "mail_server": self.env._(
                "No outgoing mail server is set up in Odoo: e-mails may never leave. Add one in the settings."
            ),
            "printer": self.env._(
                "wkhtmltopdf is missing on the server, or broken: messages with attachments wait, and no letter can "
                "be printed."
            ),
        }.get(code, code)

    @api.model
    def _get_automatic_channels(self, company):
        """Return the channels by which scheduled actions send messages of a company, as a tuple."""
        names = [
            name for name, _label in self.env["collection.action"]._fields["channel"]._description_selection(self.env)
        ]
        return tuple(
            name
            for name in names
            if f"collection.channel.{name}" in self.env and self._get(name)._is_automatic(company)
        )
