from lxml.builder import E
from markupsafe import Markup

from odoo import api, models


class CollectionChannel(models.AbstractModel):
    """A way to reach customers. One small model per channel, ``collection.channel.<name>``: what it is, and hooks.

    Whatever is said of a channel anywhere (screens, plans, the digest, reminders that come too soon) is asked of its
    model: there is no other list. To add one, WhatsApp for example, extend the two selections, each with what becomes
    of its records when your addon goes, and write the model::

        class CollectionPlanStep(models.Model):
            _inherit = "collection.plan.step"
            channel = fields.Selection(
                selection_add=[("whatsapp", "WhatsApp")],
                ondelete={"whatsapp": lambda steps: steps._leave_channel()},
            )

        class CollectionAction(models.Model):
            _inherit = "collection.action"
            channel = fields.Selection(
                selection_add=[("whatsapp", "WhatsApp")],
                ondelete={"whatsapp": lambda actions: actions._leave_channel()},
            )

        class CollectionChannelWhatsapp(models.AbstractModel):
            _name = "collection.channel.whatsapp"
            _description = "Follow-up by WhatsApp"
            _inherit = "collection.channel"
            _is_sent_by_odoo = True
            _is_message = True
            _text_field = "whatsapp_template_id"  # your own field of the step, shown by your own view

    What people read is translated in your addon; all other selections of channels follow these two. All hooks get
    actions of one company, in an environment of that company.
    """

    _name = "collection.channel"
    _description = "Follow-up Channel"

    # Whether Odoo sends these messages itself; otherwise people do them from “My Day”.
    _is_sent_by_odoo = False
    # Whether it is a written request for money: some days lie between two of them, the digest counts them, and they
    # may be courtesy messages before the due date.
    _is_message = False
    # Whether people print and post it.
    _is_paper = False
    # Whether nothing is said to the customer: it counts neither for gaps nor for pressure.
    _says_nothing = False
    # Whether people only tick it off, as a task; a call, for example, has a dialogue of its own.
    _is_ticked_off = False
    # Whether steps may choose it for customers whom their own channel does not reach.
    _can_replace = False
    # Whether invoices and a statement may go along.
    _can_attach = False
    # The field of the step that holds the text, ``None`` when none is needed; and the field of that text with its body.
    _text_field = None
    _text_body_field = "body_html"
    # Its icon, of Font Awesome.
    _icon = "fa-comment-o"

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

    def _preview(self, action, lang):
        """Return the message of an action as the customer will see it; here: what people read who do the step.

        :param action: an action that is never stored, as the system, of which ``_applicable`` was asked.
        :param str lang: code of the language in which the customer is written to.
        :return: dict of ``body``, HTML (see ``_frame_page`` for whole pages), and as known ``subject``, ``sender``,
            ``reply_to`` and ``attachments``, names in lines.
        """
        return {"body": action.step_id.with_context(lang=lang).script or ""}

    def _get_sent_title(self):
        """Return what the number of messages that were sent is called in the recap of a campaign."""
        labels = self.env["collection.action"]._get_channel_labels()
        return self.env._("Sent by %s", labels[self._name.removeprefix("collection.channel.")])

    # === HELPERS === #

    def _get_rows(self, actions):
        """Return the items that each message names: what is overdue, and what a step before the due date is about.

        :return: ``{debtor: rows}``, see ``_get_claimable_items``.
        """
        horizons = {action.debtor_id: max(-action.step_id.delay, 0) for action in actions}
        return actions.debtor_id._get_claimable_items_by_debtor(horizons)

    def _get_text(self, step):
        """Return the text (a template) that this channel sends for a step, ``None`` when it needs none."""
        return step[self._text_field] if self._text_field else None

    def _can_say(self, step):
        """Return whether a step has the words that this channel needs."""
        return not self._text_field or bool(self._get_text(step))

    def _has_words(self, step):
        """Return whether there is anything in the words that this channel needs."""
        return self._can_say(step) and (
            not self._text_field or bool(self._get_text(step).sudo()[self._text_body_field])
        )

    @api.model
    def _frame_page(self, page, css_class=""):
        """Return a whole page within a frame of its own: its styles stay in there, and nothing in it runs.

        :param page: a whole page, as text.
        :param str css_class: of the frame.
        """
        return Markup(
            '<iframe sandbox="allow-popups" class="w-100 border bg-white %s" style="height: 60vh;" srcdoc="%s">'
            "</iframe>"
        ) % (css_class, str(page))

    def _is_automatic(self, company):
        """Return whether Odoo sends the messages of this channel for a company."""
        return self._is_sent_by_odoo

    @api.model
    def _get(self, channel):
        """Return the model of a channel; the base model for what is none, as one whose addon was uninstalled.

        :param str channel: value of ``collection.action.channel``.
        """
        name = f"collection.channel.{channel}"
        return self.env[name if name in self.env else "collection.channel"]

    @api.model
    def _get_known(self, channel):
        """Return a channel as it is; calls in place of one whose addon is gone: what it asked for, people can do.

        :param str channel: value of ``collection.plan.step.channel``.
        """
        return channel if f"collection.channel.{channel}" in self.env else "call"

    @api.model
    def _get_names(self, attribute=None, value=True):
        """Return the values of ``collection.action.channel`` that are channels, as a tuple.

        :param str attribute: only those of whose model this attribute (``_is_message`` …) is ``value``.
        """
        return tuple(
            name
            for name in self.env["collection.action"]._fields["channel"].get_values(self.env)
            if f"collection.channel.{name}" in self.env
            and (attribute is None or getattr(self._get(name), attribute) == value)
        )

    @api.model
    def _add_filters(self, arch):
        """Put one filter for each channel in the place of the filter ``channels`` of a search view.

        :param arch: the tree of the view, which is changed.
        """
        labels = self.env["collection.action"]._get_channel_labels()
        for place in arch.xpath("//filter[@name='channels']"):
            for name in self._get_names():
                domain = f"[('channel', '=', {name!r})]"
                place.addprevious(E.filter(name=name, string=labels[name], domain=domain))
            place.getparent().remove(place)

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
        return tuple(name for name in self._get_names() if self._get(name)._is_automatic(company))
