from odoo import fields


class NullableFloat(fields.Float):
    """A number that may be unknown. Empty is not zero: what can't be computed shows as nothing at all.

    An unknown number is ``NULL`` in the database, where averages leave it out, and ``False`` in Python.
    """

    def convert_to_column(self, value, record, values=None, validate=True):
        return None if value in (None, "") or value is False else super().convert_to_column(value, record)

    def convert_to_cache(self, value, record, validate=True):
        return None if value in (None, "") or value is False else super().convert_to_cache(value, record)

    def convert_to_record(self, value, record):
        return False if value is None else value

    def convert_to_export(self, value, record):
        return "" if value is False else value
