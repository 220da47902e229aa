from odoo import models


class CollectionChannelTask(models.AbstractModel):
    """Tasks: somebody decides or does something in the office, for example hands a file over."""

    _name = "collection.channel.task"
    _description = "Follow-up Task"
    _inherit = "collection.channel"

    _says_nothing = True
    _is_ticked_off = True
    _icon = "fa-check-square-o"
