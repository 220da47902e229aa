# ruff: noqa: E501 - tables: one line is one row
# fmt: off
"""What is unpaid, and what was said about it. Days are offsets from today, amounts are before tax."""

from typing import NamedTuple

CLOSED_START, CLOSED_END = -95, -60
RUNNING_START, RUNNING_END = -12, 18


class Unpaid(NamedTuple):
    """An invoice that nobody pays by habit: only the story does.

    ``paid`` is ``(day, share)`` of a payment that came before or beside the campaigns.
    """

    key: str
    due: int
    amount: float
    paid: tuple | None = None
    no_followup: bool = False
    instalments: bool = False


UNPAID = (
    # == Overdue when the first campaign starts ==
    Unpaid("imprimerie", -118, 2340),
    Unpaid("imprimerie", -101, 1180),
    Unpaid("bellerive", -125, 4650),
    Unpaid("vallier", -140, 8900),
    Unpaid("vallier", -109, 5400),
    Unpaid("kerval", -112, 14200),
    Unpaid("meridia", -120, 11800),
    Unpaid("pilat", -115, 1560),
    Unpaid("pressing_gare", -130, 190),
    Unpaid("auto_ecole", -106, 195),
    Unpaid("fleurs_amandine", -111, 130),
    Unpaid("studio_lumen", -122, 285),
    Unpaid("clos_saint_just", -228, 3200),
    Unpaid("clos_saint_just", -214, 1450),
    Unpaid("prestige_events", -240, 6800),
    Unpaid("prestige_events", -221, 2950),
    Unpaid("parilly", -205, 890),
    Unpaid("ossature", -150, 7400),
    Unpaid("ossature", -128, 3900),
    Unpaid("forez", -133, 9600),
    Unpaid("forez", -108, 7250),
    Unpaid("saint_clair", -127, 12500),
    Unpaid("camelia", -105, 160),
    Unpaid("combe_noire", -119, 1850),
    Unpaid("delaunay", -124, 5200),
    Unpaid("delaunay", -99, 2750),
    Unpaid("sci_tilleuls", -104, 920),
    Unpaid("steinbach", -110, 6400),
    Unpaid("blue_heron", -113, 8600),
    Unpaid("kilbride", -107, 2900),
    Unpaid("rochebrune", -137, 10400),
    Unpaid("pagnon", -100, 1420),
    # == Overdue when the second campaign starts ==
    Unpaid("vallier", -48, 6100),
    Unpaid("vallier", -17, 4300),
    Unpaid("bellerive", -32, 3870),
    Unpaid("pagnon", -35, 980),
    Unpaid("alpenia", -40, 15800),
    Unpaid("alpenia", -20, 6250),
    Unpaid("grand_rhone", -28, 22400),
    Unpaid("grand_rhone", -16, 9300),
    Unpaid("meridia", -36, 5200),
    Unpaid("meridia", -19, 7850),
    Unpaid("ardoise", -25, 1340),
    Unpaid("fontanella", -45, 205),
    Unpaid("fontanella", -20, 190),
    Unpaid("saveurs_ici", -22, 145),
    Unpaid("houblon_or", -19, 780),
    Unpaid("passerelle", -24, 2150),
    Unpaid("isara", -30, 6900),
    Unpaid("steinbach", -21, 4850),
    Unpaid("soler", -72, 2480),
    Unpaid("soler", -52, 3650),
    Unpaid("blue_heron", -26, 5400),
    Unpaid("forez", -33, 6300),
    Unpaid("rochebrune", -29, 4100),
    Unpaid("delaunay", -38, 3300),
    Unpaid("delaunay", -18, 1500),
    Unpaid("garage_bonnefoy", -23, 210),
    Unpaid("camping_rives", -50, 2600),
    Unpaid("azurea", -44, 1900, no_followup=True),
    Unpaid("azurea", -27, 1150),
    *(Unpaid("confluence", due, amount) for due, amount in
      ((-78, 110), (-69, 85), (-63, 145), (-55, 240), (-47, 90), (-41, 175), (-34, 120), (-24, 95), (-15, 210))),
    *(Unpaid("serena", due, amount) for due, amount in ((-58, 340), (-43, 620), (-37, 180), (-22, 455), (-16, 290))),
    Unpaid("batisseurs_ain", -31, 12400),
    Unpaid("val_saone", -37, 6800, paid=(-20, 0.4)),
    Unpaid("ravenscroft", -43, 5750),
    Unpaid("valsesia", -26, 3480),
    Unpaid("sambre", -29, 2750),
    Unpaid("morestel", -14, 1180),
    # == Just late, in no campaign yet ==
    Unpaid("plume_bleue", -3, 190),
    Unpaid("coiff_harmonie", -2, 145),
    Unpaid("dentaire_tilleuls", -9, 340),
    Unpaid("menuiserie_chevrier", -8, 260),
    Unpaid("verre_lumiere", -3, 420),
    Unpaid("hofmann", -10, 1950),
    # == Instalments: 30 % at once, the rest later ==
    Unpaid("mobilier_lyonnais", 24, 8600, paid=(-30, 0.3), instalments=True),
    Unpaid("decors_scenes", 12, 6400, instalments=True),
    Unpaid("decors_scenes", -18, 860),
    # == Not due yet ==
    Unpaid("grand_rhone", 12, 17600),
    Unpaid("alpenia", 9, 8200),
    Unpaid("vallier", 14, 2900),
    Unpaid("meridia", 21, 9400),
)


class Event(NamedTuple):
    """Something that happened between a collector and a customer."""

    day: int
    key: str
    verb: str
    values: dict


def _event(day, key, verb, **values):
    return Event(day, key, verb, values)


BEFORE_STORY = (
    _event(-98, "combe_noire", "credit_note", amount=480),
)

CLOSED_STORY = (
    # Kept promises
    _event(-93, "imprimerie", "promise", for_day=-84, reason="approval", note="Next payment run, both invoices are in it."),
    _event(-85, "imprimerie", "pay"),
    _event(-92, "bellerive", "call", outcome="someone_else", next_day=-89, note="Reception: the accounts office is back in a few days."),
    _event(-89, "bellerive", "promise", for_day=-82, reason="oversight", note="Invoice was left with the works manager. Transfer next week."),
    _event(-83, "bellerive", "pay"),
    _event(-90, "auto_ecole", "promise", for_day=-86, method="cheque", reason="oversight", note="Cheque leaves today."),
    _event(-87, "auto_ecole", "pay", memo="CHQ 0048213"),
    _event(-91, "steinbach", "promise", for_day=-84, reason="approval", note="Approved, payment advice will follow."),
    _event(-85, "steinbach", "pay"),
    _event(-90, "blue_heron", "promise", for_day=-78, reason="approval", note="Wire scheduled with the month-end batch."),
    _event(-79, "blue_heron", "pay"),
    _event(-91, "forez", "promise", for_day=-81, share=0.57, reason="cash", note="Can pay the older invoice once their own customer has paid."),
    _event(-81, "forez", "pay", share=0.57),
    _event(-75, "forez", "promise", for_day=-64, reason="cash", note="The second one by the end of the month."),
    _event(-65, "forez", "pay", share=0.5),
    # Three instalments, the last one after the end of the campaign
    _event(-90, "rochebrune", "promise", for_day=-83, amount=4000, reason="cash", note="Sales were weak. Offers three instalments, agreed with Sophie."),
    _event(-84, "rochebrune", "pay", amount=4000),
    _event(-82, "rochebrune", "promise", for_day=-70, amount=4000, reason="cash", note="Second instalment."),
    _event(-71, "rochebrune", "pay", amount=4000),
    _event(-66, "rochebrune", "promise", for_day=-50, reason="cash", note="Last instalment after the next orders."),
    # Broken and partly kept
    _event(-92, "vallier", "promise", for_day=-85, amount=10680, reason="cash", note="Will pay the oldest invoice in the coming days."),
    _event(-79, "vallier", "promise", for_day=-70, amount=5000, reason="cash", note="Waiting for a progress payment on a building site. 5,000 now, the rest later."),
    _event(-69, "vallier", "pay", amount=3000),
    _event(-92, "delaunay", "call", outcome="voicemail", next_day=-88, note=""),
    _event(-88, "delaunay", "promise", for_day=-78, reason="approval", note="Both invoices with the next run."),
    _event(-78, "delaunay", "pay", share=0.6),
    _event(-87, "sci_tilleuls", "promise", for_day=-80, method="cheque", reason="oversight", note="Both partners have to sign."),
    _event(-70, "sci_tilleuls", "call", outcome="right_person", reason="oversight", note="Cheque was forgotten, goes out today."),
    _event(-67, "sci_tilleuls", "pay", memo="CHQ 1190345"),
    _event(-90, "parilly", "promise", for_day=-82, reason="cash", note="Promises a transfer when the season tickets come in."),
    _event(-76, "parilly", "promise", for_day=-68, reason="cash", note="Apologises, transfer next week for sure."),
    # Disputes
    _event(-91, "kerval", "dispute", reason="order_missing", note="Our invoice does not carry their order number, it is blocked in their system."),
    _event(-82, "kerval", "solve", state="rejected", resolution="Order number 4500028817 was on the delivery note; sent it again to the shared service centre, the invoice is released."),
    _event(-73, "kerval", "pay"),
    _event(-90, "meridia", "dispute", reason="price", amount=1440.0, note="Price list of last year was applied to the display stands."),
    _event(-84, "meridia", "solve", state="accepted", resolution="They are right: the framework price applies since January. Credit note to come."),
    _event(-78, "meridia", "credit"),
    _event(-74, "meridia", "pay"),
    _event(-88, "pilat", "dispute", reason="quality", share=0.25, note="Welds of the bar footrail are not polished."),
    _event(-80, "pilat", "solve", state="rejected", resolution="Our fitter came by on site: finish as ordered (brushed). Customer agrees, photographs on file."),
    _event(-77, "pilat", "promise", for_day=-71, reason="oversight", note="Fine, will pay all of it."),
    _event(-72, "pilat", "pay"),
    _event(-86, "saint_clair", "dispute", reason="commercial", note="Wants a penalty for the late delivery of the staircases, refuses to pay anything before."),
    # Paid after a reminder
    _event(-93, "pressing_gare", "remind"),
    _event(-88, "pressing_gare", "pay"),
    _event(-93, "fleurs_amandine", "remind"),
    _event(-83, "fleurs_amandine", "pay", memo="CHQ 7702415"),
    _event(-93, "camelia", "remind"),
    _event(-90, "camelia", "pay"),
    _event(-92, "kilbride", "remind"),
    _event(-81, "kilbride", "pay"),
    # A credit note waits for allocation
    _event(-89, "combe_noire", "call", outcome="right_person", reason="other", note="Says our credit note for the returned gate must come off first. Will pay the balance at once."),
    _event(-86, "combe_noire", "allocate"),
    _event(-84, "combe_noire", "pay"),
    # Not reached, refused, handed over
    _event(-93, "studio_lumen", "call", outcome="no_answer", next_day=-88, note=""),
    _event(-88, "studio_lumen", "call", outcome="voicemail", next_day=-80, note=""),
    _event(-80, "studio_lumen", "call", outcome="wrong_number", next_day=-73, note="Number now belongs to somebody else. E-mail sent."),
    _event(-80, "studio_lumen", "remind"),
    _event(-92, "clos_saint_just", "call", outcome="no_answer", next_day=-86, note=""),
    _event(-86, "clos_saint_just", "call", outcome="voicemail", next_day=-79, note=""),
    _event(-79, "clos_saint_just", "call", outcome="someone_else", next_step="escalate", note="New owner: has nothing to do with the old debts."),
    _event(-91, "prestige_events", "call", outcome="right_person", reason="refusal", next_day=-84, note="“You will get your money when I get mine.” No reason given."),
    _event(-75, "prestige_events", "close", result="refused", reason="refusal", note="Refuses without any written reason."),
    _event(-88, "ossature", "call", outcome="right_person", reason="insolvency", note="Receivership opened last week by the commercial court."),
    _event(-86, "ossature", "insolvency"),
    _event(-85, "ossature", "close", result="escalated", reason="insolvency", note="Receivership: claim declared to the trustee."),
    _event(-91, "pagnon", "call", outcome="someone_else", reason="approval", next_day=-83, note="His wife takes a note."),
)

BETWEEN_STORY = (
    _event(-52, "saint_clair", "solve", state="rejected", resolution="Delivery dates were moved at their own request (e-mail of the site manager). No penalty."),
    _event(-51, "rochebrune", "pay"),
    _event(-41, "delaunay", "pay"),
    _event(-38, "batisseurs_ain", "on_account", amount=5000),
    _event(-14, "camping_rives", "pause", days=34, reason="Seasonal closing: their accounts reopen with the season, agreed with Élise."),
    _event(-33, "morestel", "credit_note", amount=640),
    _event(-30, "deux_ponts", "on_account", amount=150),
)

RUNNING_STORY = (
    # Promised
    _event(-7, "alpenia", "promise", for_day=0, reason="approval", note="In the month's payment run, both invoices."),
    _event(-9, "bellerive", "promise", for_day=3, reason="oversight", note="Transfer on her return from holiday."),
    _event(-5, "houblon_or", "promise", for_day=1, method="card", reason="oversight", note="First invoice, did not see the due date."),
    _event(-6, "blue_heron", "promise", for_day=6, reason="approval", note="Next wire batch."),
    _event(-8, "forez", "promise", for_day=8, payments=3, reason="cash", note="Agreed with Brigitte Chazal: three instalments, the first from a new order."),
    _event(-4, "valsesia", "promise", for_day=4, reason="approval", note="Approved by the director."),
    # Promised, and not kept
    _event(-11, "vallier", "promise", for_day=-7, amount=6000, reason="cash", note="Promises 6,000 by transfer."),
    _event(-11, "delaunay", "promise", for_day=-6, amount=2000, reason="cash", note="2,000 by transfer."),
    _event(-6, "delaunay", "pay", amount=1200),
    # Waiting
    _event(-2, "pagnon", "call", outcome="voicemail", next_day=2, note="Message left with the amount and our number."),
    _event(-3, "steinbach", "call", outcome="someone_else", next_day=1, note="Frau Vogel is back tomorrow."),
    _event(-3, "fontanella", "remind"),
    _event(-4, "studio_lumen", "call", outcome="no_answer", next_day=3, note="New number found on their website."),
    _event(-3, "serena", "call", outcome="right_person", reason="approval", next_day=4, note="Is missing nothing, waits for the signature of the director of the residence."),
    # Disputed
    _event(-10, "grand_rhone", "dispute", reason="order_missing", solve_days=5, note="Order number of the Part-Dieu building site is missing, invoice rejected by the portal."),
    _event(-6, "meridia", "dispute", reason="quantity", share=0.125, solve_days=11, note="Two display stands of sixteen were not delivered."),
    _event(-5, "sambre", "dispute", reason="quality", share=1.0, solve_days=15, note="Handrail is scratched over two metres, asks for a repair before paying."),
    # Handed over
    _event(-9, "clos_saint_just", "call", outcome="no_answer", next_day=-5, note=""),
    _event(-5, "clos_saint_just", "call", outcome="voicemail", next_step="escalate", note="Registered letter came back."),
    _event(-4, "saint_clair", "call", outcome="right_person", reason="refusal", next_step="escalate", note="Still wants a penalty. Asks to talk to the management."),
    # Done
    _event(-11, "ardoise", "remind"),
    _event(-6, "ardoise", "pay"),
    _event(-10, "saveurs_ici", "promise", for_day=-6, method="cheque", reason="oversight", note="Cheque today."),
    _event(-7, "saveurs_ici", "pay", memo="CHQ 3300871"),
    _event(-10, "isara", "promise", for_day=-5, reason="approval", note="Next payment run."),
    _event(-5, "isara", "pay"),
    _event(-2, "isara", "return"),
    _event(-9, "garage_bonnefoy", "dispute", reason="duplicate", share=1.0, note="Invoiced twice, the first one was paid in cash."),
    _event(-6, "garage_bonnefoy", "solve", state="accepted", resolution="Right: invoiced twice. Credit note."),
    _event(-5, "garage_bonnefoy", "credit"),
    _event(-8, "prestige_events", "call", outcome="right_person", reason="refusal", note="Hung up."),
    _event(-7, "prestige_events", "close", result="refused", reason="refusal", note="Refuses again: file for the lawyer."),
    _event(-9, "val_saone", "remind"),
    _event(-4, "val_saone", "pay"),
    _event(-8, "rochebrune", "call", outcome="right_person", reason="cash", next_day=-2, note="Sends half of it this week, asks to call again for the rest."),
    _event(-5, "rochebrune", "pay", share=0.5),
    _event(-3, "chauffage_rhone", "remind"),
    # Under the follow-up plan, which is about customers of no campaign so far
    _event(-3, "hofmann", "plan"),
    _event(-2, "dentaire_tilleuls", "plan"),
    _event(-1, "dentaire_tilleuls", "bounce"),
    _event(-1, "menuiserie_chevrier", "plan"),
    _event(-1, "menuiserie_chevrier", "answer", text="Hello, the invoice has only just reached me. I will look at it with my accountant tomorrow. Bruno Chevrier"),
    _event(-1, "prestige_events", "plan", by_hand=True),
    # With a provider that speaks their language
    _event(-2, "ravenscroft", "hand_over", keys=("ravenscroft", "soler"), until=11),
)
