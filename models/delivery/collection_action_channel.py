from odoo import api, fields, models
from odoo.fields import Domain


class CollectionAction(models.Model):
    """What the channel of an action is, as its model says (see ``collection.channel``)."""

    _inherit = "collection.action"

    is_for_people = fields.Boolean(
        string="Done by People",
        compute="_compute_channel_flags",
        search="_search_is_for_people",
        help="Somebody does it, from “My Day”; Odoo sends the rest.",
    )
    is_paper = fields.Boolean(string="On Paper", compute="_compute_channel_flags", search="_search_is_paper")
    is_ticked_off = fields.Boolean(compute="_compute_channel_flags")

    # === COMPUTE METHODS === #

    @api.depends("channel")
    def _compute_channel_flags(self):
        Channel = self.env["collection.channel"]
        for action in self:
            channel = Channel._get(action.channel)
            is_known = action.channel in Channel._get_names()
            action.is_for_people = is_known and not channel._is_sent_by_odoo
            action.is_paper = channel._is_paper
            action.is_ticked_off = channel._is_ticked_off

    @api.model
    def _search_is_for_people(self, operator, value):
        return self._search_by_channel(operator, value, "_is_sent_by_odoo", False)

    @api.model
    def _search_is_paper(self, operator, value):
        return self._search_by_channel(operator, value, "_is_paper", True)

    @api.model
    def _search_by_channel(self, operator, value, attribute, expected):
        """Return the domain of the actions of whose channel an attribute is as expected, or not."""
        if operator != "in":
            return NotImplemented
        channels = Domain("channel", "in", self.env["collection.channel"]._get_names(attribute, expected))
        return Domain.OR(channels if flag else ~channels for flag in value)

    # === CRUD METHODS === #

    @api.model
    def _get_view(self, view_id=None, view_type="form", **options):
        arch, view = super()._get_view(view_id, view_type, **options)
        self.env["collection.channel"]._add_filters(arch)
        return arch, view

    # === ACTION METHODS === #

    def action_mark_done(self):
        """Note that a task was done, by whoever clicks."""
        self.check_access("write")
        for action in self.filtered(lambda action: action.state == "planned" and action.is_ticked_off):
            action._log(action.debtor_id, action.channel, case=action.case_id, summary=action.summary)

    # === BUSINESS METHODS === #

    # EXTENDS collection.action of the area “contact”
    @api.model
    def _get_silent_channels(self):
        return (*super()._get_silent_channels(), *self.env["collection.channel"]._get_names("_says_nothing"))

    # EXTENDS collection.action of the area “contact”
    @api.model
    def _is_done_by_hand(self, channel):
        Channel = self.env["collection.channel"]
        by_hand = set(Channel._get_names("_is_sent_by_odoo", False)) - set(Channel._get_names("_is_paper"))
        return super()._is_done_by_hand(channel) or channel in by_hand

    def _leave_channel(self):
        """Cancel what is planned: the channel of these actions is about to go, with the addon that brought it.

        What was said stays on file as it was said. For ``ondelete`` of a channel, see ``collection.channel``.
        """
        planned = self.sudo().filtered(lambda action: action.state == "planned")
        planned._set_state(
            "cancelled",
            result_text=self.env._("The addon that brought this channel was uninstalled."),
            cancel_code="other",
        )
