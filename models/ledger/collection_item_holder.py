from typing import Any, NamedTuple

from odoo import api, models
from odoo.tools import SQL


class Held(NamedTuple):
    """How a record goes on: with which item, and with how much of its own amount (``None``: all of it)."""

    record: Any
    item_id: int | None
    amount: float | None = None
    # The record goes on with a first item already; one more is made for this one.
    is_further: bool = False


class CollectionItemHolder(models.AbstractModel):
    """Something that hangs on a journal item: part of a promise or dispute, what was said about it, an item of a case.

    When an entry is set back to draft and posted again, its journal items may be made anew. Models that inherit this
    mixin then go on with the items that took the place of the old ones: see ``collection.suspended.item``.
    """

    _name = "collection.item.holder"
    _description = "Hangs on a Journal Item"

    # The field with the item, or with its id.
    _held_item_field = "move_line_id"
    # The amounts of a record that can go on as several: the one that is divided, those that are divided in proportion,
    # and those that begin anew in the additional records.
    _held_amount_field = ""
    _held_scaled_fields: tuple = ()
    _held_reset_fields: tuple = ()

    @api.model
    def _get_held_sql(self, item_ids):
        """Return SQL with one row for each record that hangs on an item: ``item_id``, ``holder``, ``holder_id``.

        :param item_ids: ids of journal items.
        """
        return SQL(
            "SELECT %(item)s AS item_id, %(model)s AS holder, id AS holder_id"
            " FROM %(table)s WHERE %(item)s IN %(items)s",
            item=SQL.identifier(self._held_item_field),
            model=self._name,
            table=SQL.identifier(self._table),
            items=tuple(item_ids),
        )

    @api.model
    def _move_to_items(self, replacements):
        """Move records to the items that replaced theirs.

        Written by SQL: what was said about an entry must neither keep it from being posted nor be judged by it.

        :param replacements: list of ``(ids of the records that hang on one old item, parts of new items)``, see
            ``tools.replacement``. Without parts there is no such item any more.
        """
        self.flush_model()
        held = []
        for ids, parts in replacements:
            held += self.browse(ids).exists()._divide_held(parts)
        self._write_held(held)
        self.invalidate_model(flush=False)

    def _divide_held(self, parts):
        """Return how these records, which hang on one old item, go on: as a whole with the first new one."""
        return [Held(record, parts[0].key if parts else None) for record in self]

    @api.model
    def _write_held(self, held):
        """Write with which items records go on.

        :param held: list of ``Held``.
        """
        names = [self._held_item_field, *filter(None, [self._held_amount_field]), *self._held_scaled_fields]
        columns = [SQL.identifier(name) for name in names]
        values = [SQL("%s::%s", SQL.identifier("new", name), SQL(self._fields[name].column_type[0])) for name in names]
        first = [self._get_held_values(one) for one in held if not one.is_further]
        if first:
            self.env.cr.execute(
                SQL(
                    "UPDATE %s AS target SET %s FROM (VALUES %s) AS new (id, %s) WHERE target.id = new.id",
                    SQL.identifier(self._table),
                    SQL(", ").join(SQL("%s = %s", *pair) for pair in zip(columns, values, strict=True)),
                    SQL(", ").join(first),
                    SQL(", ").join(columns),
                )
            )
        further = [self._get_held_values(one) for one in held if one.is_further]
        if further:
            others = [
                name
                for name, field in self._fields.items()
                if field.store and field.column_type and name not in ("id", *names, *self._held_reset_fields)
            ]
            self.env.cr.execute(
                SQL(
                    "INSERT INTO %(table)s (%(names)s) SELECT %(values)s"
                    " FROM (VALUES %(rows)s) AS new (id, %(columns)s)"
                    " JOIN %(table)s AS source ON source.id = new.id",
                    table=SQL.identifier(self._table),
                    names=SQL(", ").join(SQL.identifier(name) for name in [*names, *others, *self._held_reset_fields]),
                    values=SQL(", ").join(
                        [*values, *(SQL.identifier("source", name) for name in others)]
                        + [SQL("0")] * len(self._held_reset_fields)
                    ),
                    rows=SQL(", ").join(further),
                    columns=SQL(", ").join(columns),
                )
            )

    @api.model
    def _get_held_values(self, one):
        """Return the values of one ``Held`` as a row of SQL: the record's id, its item, its amounts."""
        record = one.record
        values = [record.id, one.item_id]
        if self._held_amount_field:
            whole = record[self._held_amount_field]
            amount = whole if one.amount is None else one.amount
            share = amount / whole if whole else 1
            values.append(amount)
            values += [record.company_currency_id.round(record[name] * share) for name in self._held_scaled_fields]
        return SQL("(%s)", SQL(", ").join(SQL("%s", value) for value in values))
