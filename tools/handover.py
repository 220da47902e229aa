"""References, columns and keys of the files that go out to a caller and come back, without Odoo."""

import hashlib
import re
import secrets
import unicodedata
from datetime import time

# No vowel, so that no word appears; nothing that looks like something else; no E between digits, which
# spreadsheets take for a number.
_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"
_GROUPS, _GROUP_SIZE = 3, 4
# Dashes that word processors put in place of a hyphen.
_NOT_A_SIGN = re.compile(r"[\s\-_.‐‑‒–—−]+")
_DATE_AND_TIME = re.compile(r"^(?P<date>.+?)[ T,]+(?P<hour>[01]?\d|2[0-3])\s?[:hH]\s?(?P<minute>[0-5]\d)?(:[0-5]\d)?$")

# What goes out, and what the caller fills in. The order is that of the file.
SENT = (
    "case",
    "item",
    "customer",
    "contact",
    "role",
    "phone",
    "email",
    "language",
    "number",
    "date",
    "due_date",
    "amount",
    "currency",
    "days_late",
    "score",
    "comment",
)
ANSWERS = (
    "call_date",
    "outcome",
    "promise_date",
    "promise_amount",
    "method",
    "reason",
    "disputed_amount",
    "new_contact",
    "new_phone",
    "new_email",
    "note",
)
# Without these a row can't be understood, or a call could not be made.
ALWAYS_SENT = ("case", "item", "customer", "number", "due_date", "amount", "currency")

# Other names under which callers send the columns back, in the languages one meets.
ALIASES = {
    "case": ("Case", "Case reference", "File", "Dossier", "Référence du dossier", "Réf. dossier", "N° dossier"),
    "item": ("Item", "Item reference", "Référence de l'échéance", "Réf. échéance", "Échéance réf."),
    "call_date": ("Call date", "Called on", "Date of call", "Date d'appel", "Date de l'appel", "Appelé le"),
    "outcome": ("Outcome", "Call outcome", "Result", "Result of the call", "Résultat", "Résultat de l'appel", "Issue"),
    "promise_date": (
        "Promise date",
        "Promised for",
        "Will pay on",
        "Payment date",
        "Date de promesse",
        "Date promise",
        "Date d'engagement",
        "Date de règlement",
        "Paiera le",
    ),
    "promise_amount": (
        "Promise amount",
        "Promised amount",
        "Amount promised",
        "Amount of the promise",
        "Montant promis",
        "Montant de la promesse",
        "Montant de l'engagement",
    ),
    "method": (
        "Method",
        "Payment method",
        "Mode",
        "Mode de règlement",
        "Mode de paiement",
        "Moyen de paiement",
    ),
    "reason": (
        "Reason",
        "Reason for non-payment",
        "Dispute reason",
        "Motif",
        "Motif de non-règlement",
        "Motif du litige",
    ),
    "disputed_amount": ("Disputed amount", "Amount in dispute", "Montant contesté", "Montant en litige"),
    "new_contact": ("New contact", "Contact to ask for", "Nouveau contact", "Nouvel interlocuteur"),
    "new_phone": ("New phone", "New phone number", "Nouveau téléphone", "Nouveau tél.", "Nouveau numéro"),
    "new_email": ("New e-mail", "New email", "Nouvel e-mail", "Nouveau mail", "Nouvelle adresse e-mail"),
    "note": ("Note", "Notes", "What was said", "Ce qui a été dit", "Observations", "Compte rendu"),
}


def make_reference(prefix):
    """Return a reference that nobody guesses and no spreadsheet takes for a number, a date or a formula.

    :param str prefix: one letter that says what it refers to.

    >>> reference = make_reference("C")
    >>> len(reference), reference[:2]
    (16, 'C-')
    >>> clean_reference(reference) == reference
    True
    """
    groups = ("".join(secrets.choice(_ALPHABET) for _sign in range(_GROUP_SIZE)) for _group in range(_GROUPS))
    return "-".join((prefix, *groups))


def clean_reference(text):
    """Return a reference as it was made, however it was typed again, or an empty string when it is none.

    >>> clean_reference(" c–7kq4 9xmb t2rw ")
    'C-7KQ4-9XMB-T2RW'
    >>> clean_reference("12345")
    ''
    """
    signs = _NOT_A_SIGN.sub("", text or "").upper()
    if len(signs) != 1 + _GROUPS * _GROUP_SIZE or not signs[0].isalpha() or set(signs[1:]) - set(_ALPHABET):
        return ""
    groups = (signs[start : start + _GROUP_SIZE] for start in range(1, len(signs), _GROUP_SIZE))
    return "-".join((signs[0], *groups))


def fold(text):
    """Return a text for comparing: without accents, case and doubled spaces.

    >>> fold("  Réf.  DOSSIER ")
    'ref. dossier'
    """
    decomposed = unicodedata.normalize("NFKD", str(text or ""))
    return " ".join("".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold().split())


def split_time(text):
    """Split a text into a day and the time of the day, if it names one.

    >>> split_time("10/03/2026 14:30")
    ('10/03/2026', datetime.time(14, 30))
    >>> split_time("10/03/2026 9h")
    ('10/03/2026', datetime.time(9, 0))
    >>> split_time("10/03/2026")
    ('10/03/2026', None)
    """
    match = _DATE_AND_TIME.match(text.strip())
    if not match:
        return text, None
    return match["date"], time(int(match["hour"]), int(match["minute"] or 0))


def make_key(*values):
    """Return a short key of what was said: the same for the same content, however it was typed.

    >>> make_key("Calls  back", None) == make_key("calls back", "")
    True
    >>> make_key("a", "bc") == make_key("ab", "c")
    False
    """
    said = "\x1f".join(fold(value) for value in values)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def get_parts(answer):
    """Return what an answer says, part by part, each with the key by which it is known again.

    A promise, a dispute or a reason implies that the right person was reached, hence a call.

    :param dict answer: of one row: the keys of ``ANSWERS``, with dates and amounts as texts, and ``item``.
    :return: dict ``{kind: key}`` of what was said.

    >>> list(get_parts({"promise_date": "2026-03-20", "note": "Fine"}))
    ['call', 'promise', 'note']
    >>> get_parts({"call_date": "", "note": ""})
    {}
    >>> one, other = {"promise_date": "2026-03-20"}, {"promise_date": "2026-03-20", "outcome": "right_person"}
    >>> get_parts(one)["call"] == get_parts(other)["call"]
    True
    """
    parts = {}
    if outcome := get_outcome(answer):
        parts["call"] = make_key(answer.get("call_date"), answer.get("call_time"), outcome)
    if answer.get("is_dispute"):
        parts["dispute"] = make_key(answer.get("item"), answer.get("reason"), answer.get("disputed_amount"))
    if answer.get("promise_date"):
        parts["promise"] = make_key(
            answer.get("item"), answer["promise_date"], answer.get("promise_amount"), answer.get("method")
        )
    contact = [answer.get(name) for name in ("new_contact", "new_phone", "new_email")]
    if any(contact):
        parts["contact"] = make_key(*contact)
    reason = "" if answer.get("is_dispute") else answer.get("reason")
    if answer.get("note") or reason:
        parts["note"] = make_key(answer.get("note"), reason)
    return parts


def get_outcome(answer):
    """Return how the call of an answer ended, or an empty string when the answer reports no call."""
    if answer.get("outcome"):
        return answer["outcome"]
    return "right_person" if answer.get("promise_date") or answer.get("reason") else ""
