"""What changed between what is on file of a list of open items, and the list as it is now.

>>> before = [Known("a", "Petit", "F1", "EUR", 20, 100.0), Known("b", "Petit", "F2", "EUR", 20, 50.0)]
>>> now = [Listed("x", "Petit", "F1", "EUR", 20, 60.0), Listed("y", "Petit", "F3", "EUR", 30, 10.0)]
>>> for change in compare(before, now):
...     print(change.kind, change.known and change.known.key, change.listed and change.listed.key, change.amount)
changed a x -40.0
new None y 10.0
paid b None -50.0
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Known(NamedTuple):
    """An open item on file: ``residual`` is what is owed of it, negative for a credit."""

    key: Any
    partner: Any
    number: str
    currency: Any
    due: Any
    residual: float


class Listed(NamedTuple):
    """A line of the list: ``remaining`` is what is owed according to it, negative for a credit."""

    key: Any
    partner: Any
    number: str
    currency: Any
    due: Any
    remaining: float


class Change(NamedTuple):
    """What the list says about one item: ``amount`` is what has to be added to what is owed of it."""

    kind: str  # new, changed, paid, unchanged
    known: Known | None
    listed: Listed | None
    amount: float


def normalise_number(number):
    """Return a document's number as it is compared.

    >>> normalise_number(" fa-0012 "), normalise_number("FA 0012")
    ('FA-0012', 'FA0012')
    """
    return "".join(str(number).split()).upper()


def compare(known: Iterable[Known], listed: Iterable[Listed], complete=True, untouched=frozenset(), digits=2):
    """Compare what is on file with a list.

    Items are the same when customer, number and currency are. Several instalments of one number are
    distinguished by their due dates, then by their order.

    :param complete: whether the list names all open items, so that what is missing has been paid.
    :param untouched: normalised numbers that are left alone when they are missing from ``listed``: the list
        names them in a line that could not be read.
    :param int digits: decimal places in which amounts are compared.
    :return: list of ``Change``, in the order of the list, then what is missing from it.
    """
    waiting: dict = {}
    for item in known:
        waiting.setdefault((item.partner, normalise_number(item.number), item.currency), []).append(item)
    listed = list(listed)
    wanted: dict = {}
    for index, line in enumerate(listed):
        wanted.setdefault((line.partner, normalise_number(line.number), line.currency), []).append(index)
    found: dict = {}
    for key, indexes in wanted.items():
        _pair(waiting.get(key, []), listed, indexes, found)
    changes = []
    for index, line in enumerate(listed):
        item = found.get(index)
        if item is None:
            changes.append(Change("new", None, line, line.remaining))
            continue
        amount = round(line.remaining - item.residual, digits)
        kind = "changed" if amount or (line.due and line.due != item.due) else "unchanged"
        changes.append(Change(kind, item, line, amount))
    if complete:
        for (_partner, number, _currency), items in waiting.items():
            if number not in untouched:
                changes += (Change("paid", item, None, round(-item.residual, digits)) for item in items)
    return changes


def _pair(items, listed, indexes, found):
    """Take the items that lines stand for out of ``items``, into ``found`` by the index of the line."""
    left = []
    for index in indexes:
        # A credit never becomes an invoice of the same number.
        same = [item for item in items if (item.residual < 0) == (listed[index].remaining < 0)]
        match = next((item for item in same if item.due == listed[index].due), None)
        if match is None:
            left.append(index)
        else:
            found[index] = match
            items.remove(match)
    for index in left:
        match = next((item for item in items if (item.residual < 0) == (listed[index].remaining < 0)), None)
        if match is not None:
            found[index] = match
            items.remove(match)


class Reduction(NamedTuple):
    """Part by which an item shrinks. Positive for an invoice, negative for a credit."""

    key: Any
    amount: float


def set_off(reductions: Iterable[Reduction], digits=2):
    """Set the credits of a customer that were used up against the invoices that shrank.

    Where both happened between two lists, the credit was allocated: no money came in.

    :param reductions: of one customer in one currency, the invoices in the order in which credits go to them.
    :param int digits: decimal places of the currency.
    :return: ``(pairs, rest)``: list of ``(invoice key, credit key, amount)``, and ``{key: amount}`` of what is
        left of each reduction, with its sign.

    >>> set_off([Reduction("invoice", 80.0), Reduction("credit", -50.0)])
    ([('invoice', 'credit', 50.0)], {'invoice': 30.0})
    """
    rest = {reduction.key: reduction.amount for reduction in reductions}
    credits = [key for key, amount in rest.items() if amount < 0]
    pairs = []
    for key in [key for key, amount in rest.items() if amount > 0]:
        for credit in credits:
            amount = round(min(rest[key], -rest[credit]), digits)
            if amount > 0:
                pairs.append((key, credit, amount))
                rest[key] = round(rest[key] - amount, digits)
                rest[credit] = round(rest[credit] + amount, digits)
    return pairs, {key: amount for key, amount in rest.items() if amount}


# Titles under which columns of a list of open items go, best first.
HEADINGS = {
    "customer": (
        *("Customer", "Customer name", "Client", "Nom du client", "Nom client", "Company", "Company name", "Société"),
        *("Raison sociale", "Debtor", "Débiteur", "Tiers", "Nom du tiers", "Nom tiers", "Intitulé", "Intitulé client"),
        *("Libellé client", "Partner", "Partenaire", "Account name", "Name", "Nom"),
    ),
    "reference": (
        *("Customer reference", "Customer number", "Customer no", "Customer code", "Customer ID", "Customer account"),
        *("Code client", "N° client", "Numéro client", "Numéro de client", "Référence client", "Réf. client"),
        *("Compte client", "Compte tiers", "Compte auxiliaire", "Code tiers", "N° compte", "N° de compte", "Compte"),
        *("Account number", "Account code", "Account"),
    ),
    "vat": (
        *("VAT", "VAT number", "VAT no", "VAT ID", "Tax ID", "TVA", "N° TVA", "N° de TVA", "Numéro de TVA"),
        *("TVA intracommunautaire", "N° TVA intracommunautaire", "Numéro de TVA intracommunautaire"),
        *("N° TVA intracom", "TVA intracom"),
    ),
    "registry": (
        *("SIREN", "SIRET", "N° SIREN", "N° SIRET", "Numéro SIREN", "Numéro SIRET", "SIREN/SIRET", "Company ID"),
        *("Company registry", "Registration number", "Company number", "RCS"),
    ),
    "email": (
        *("E-mail", "Email", "E-mail address", "Email address", "Mail", "Courriel", "Adresse e-mail", "Adresse email"),
        *("Adresse mail", "Adresse électronique"),
    ),
    "phone": (
        *("Phone", "Telephone", "Phone number", "Tel", "Téléphone", "Tél.", "N° de téléphone", "N° téléphone"),
        *("Numéro de téléphone", "Mobile", "Portable"),
    ),
    "number": (
        *("Invoice number", "Invoice no", "Invoice", "Invoice ref", "Invoice reference", "Document number"),
        *("Document no", "Document", "N° facture", "N° de facture", "Numéro de facture", "Numéro facture", "Facture"),
        *("Réf. facture", "Référence facture", "N° pièce", "N° de pièce", "Numéro de pièce", "Numéro pièce", "Pièce"),
        *("Référence pièce", "N° document", "Number", "Numéro", "N°", "No", "Reference", "Référence", "Réf.", "Ref"),
    ),
    "invoice_date": (
        *("Invoice date", "Document date", "Issue date", "Date of invoice", "Date de facture", "Date facture"),
        *("Date de la facture", "Date pièce", "Date de pièce", "Date d'émission", "Date document", "Date"),
    ),
    "due_date": (
        *("Due date", "Due", "Due on", "Maturity", "Maturity date", "Payment due", "Échéance", "Date d'échéance"),
        *("Date échéance", "Date de l'échéance", "Date limite de paiement"),
    ),
    "original": (
        *("Original amount", "Invoice amount", "Amount incl. tax", "Invoice total", "Gross amount", "Montant TTC"),
        *("Total TTC", "Montant initial", "Montant d'origine", "Montant facture", "Montant de la facture"),
        *("Amount", "Montant", "Total"),
    ),
    "remaining": (
        *("Remaining amount", "Remaining", "Amount due", "Open amount", "Outstanding", "Outstanding amount"),
        *("Residual", "Residual amount", "Still owed", "Balance", "Balance due", "Reste dû", "Restant dû"),
        *("Reste à payer", "Reste à régler", "Reste à devoir", "Montant restant", "Montant restant dû"),
        *("Montant dû", "Montant restant à payer", "Solde", "Solde dû"),
    ),
    "currency": ("Currency", "Currency code", "Devise", "Code devise", "Monnaie"),
}
