"""Selections and words that several areas use."""

from odoo.tools.translate import LazyTranslate

PAYER_PROFILES = [
    ("new", "New customer"),
    ("punctual", "Punctual"),
    ("disorganised", "Good but disorganised"),
    ("bad", "Bad payer"),
    ("leaving", "Leaving"),
    ("dispute", "In dispute"),
]
COMPANY_SIZES = [
    ("micro", "Micro-enterprise"),
    ("sme", "Small or medium"),
    ("mid", "Mid-size"),
    ("large", "Large"),
]
GRADES = [
    ("a", "A"),
    ("b", "B"),
    ("c", "C"),
    ("d", "D"),
]

# Journals whose entries are money.
CASH_JOURNAL_TYPES = ("bank", "cash", "credit")

CALL_OUTCOMES = [
    ("right_person", "Reached the right person"),
    ("someone_else", "Reached someone else"),
    ("voicemail", "Voicemail"),
    ("no_answer", "No answer"),
    ("wrong_number", "Wrong number"),
]
# Outcomes in which somebody picked up the phone.
REACHED_OUTCOMES = ("right_person", "someone_else")
# Why planned steps of a plan are cancelled: the reasons of decisions, and what people do.
CANCEL_CODES = [
    ("nothing_claimable", "Nothing to claim any more"),
    ("too_small", "Less than a message is worth"),
    ("payment_pending", "Online payment under way"),
    ("payment_announced", "Payment booked for a later day"),
    ("parent_credit", "Money at the parent company"),
    ("unmatched_payment", "Bank entry not matched yet"),
    ("credit_to_allocate", "Credit to allocate"),
    ("bank_stale", "Bank journal not up to date"),
    ("unread_reply", "Answer not read yet"),
    ("paused", "Paused"),
    ("insolvency", "Insolvency proceedings"),
    ("archived", "File archived"),
    ("other_step", "Another step came first"),
    ("no_plan", "No plan applies"),
    ("plan_off", "Plan switched off"),
    ("called", "Called meanwhile"),
    ("promised", "Payment promised"),
    ("replaced", "Replaced by a newer plan"),
    ("handed_over", "With an outside caller"),
    ("by_hand", "Cancelled by hand"),
    ("not_done", "Not done in time"),
    ("other", "Other reasons"),
]

PAYMENT_METHODS = [
    ("transfer", "Bank transfer"),
    ("cheque", "Cheque"),
    ("card", "Card"),
    ("debit", "Direct debit"),
    ("bill", "Bill of exchange"),
    ("cash", "Cash"),
    ("other", "Other"),
]

# Level of an item that was named in a message which belongs to no step.
NO_LEVEL = -1000

STATEMENT_PERIODS = [
    ("never", "Never"),
    ("monthly", "Each month"),
    ("quarterly", "Each quarter"),
]

_lt = LazyTranslate(__name__, default_lang="en_US")
# What is done, for the log and for the administrator.
REFRESHING = _lt("Refreshing debtors")
BEGINNING_DAY = _lt("Ending pauses, escalating late disputes")
SETTLING = _lt("Settling promises and disputes")
REMINDING = _lt("Reminding of promises")
DELIVERING = _lt("Planning and delivering reminders")
CALENDAR = _lt("The calendar of campaigns")
ENDING_HANDOVERS = _lt("Ending hand-overs")
IMPORTING_ANSWERS = _lt("Importing files of providers")
PRINTING = _lt("Making papers in the background")
BOOKING = _lt("Booking imported open items")
SENDING_STATEMENTS = _lt("Sending statements of account")
SENDING_DIGESTS = _lt("Sending the daily digest")
WRITING_FIGURES = _lt("Writing the monthly figures")
