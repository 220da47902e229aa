# ruff: noqa: E501 - tables: one line is one row
# fmt: off
"""Who is in the demo data. Names, addresses and numbers are invented; telephone numbers are of the ranges
that regulators keep for fiction, e-mail addresses of the domain that can't exist."""

from typing import NamedTuple

# How customers pay: days after the due date, from and to.
HABITS = {
    "punctual": (-7, 1),
    "disorganised": (9, 24),
    "bad": (38, 72),
}


class Customer(NamedTuple):
    """A customer and the ordinary part of the business with it.

    ``count`` invoices between ``amounts`` (before tax) are spread over the days ``since`` to ``until``
    (offsets from today) and paid as the ``habit`` says.
    """

    key: str
    name: str
    city: str
    zip: str
    country: str
    size: str
    habit: str
    count: int
    amounts: tuple
    contact: str
    function: str
    term: int = 30
    since: int = -725
    until: int = -3
    currency: str = "EUR"


FRENCH_COMPANY_CUSTOMERS = (
    # == Micro-enterprises ==
    Customer("petit_fournil", "Boulangerie Le Petit Fournil", "Lyon", "69003", "FR", "micro", "punctual", 4, (180, 620), "Agathe Perrin", "Gérante"),
    Customer("coiff_harmonie", "Salon Coiff'Harmonie", "Villeurbanne", "69100", "FR", "micro", "punctual", 3, (120, 380), "Nadège Collet", "Gérante"),
    Customer("fleurs_amandine", "Les Fleurs d'Amandine", "Oullins", "69600", "FR", "micro", "disorganised", 3, (90, 260), "Amandine Roy", "Gérante", until=-150),
    Customer("garage_bonnefoy", "Garage Bonnefoy", "Bron", "69500", "FR", "micro", "punctual", 4, (150, 540), "Régis Bonnefoy", "Gérant", until=-60),
    Customer("deux_ponts", "Café des Deux Ponts", "Lyon", "69002", "FR", "micro", "disorganised", 4, (140, 420), "Karim Haddad", "Gérant"),
    Customer("plume_bleue", "Librairie La Plume Bleue", "Grenoble", "38000", "FR", "micro", "punctual", 3, (110, 480), "Claire Vasseur", "Libraire"),
    Customer("dentaire_tilleuls", "Cabinet dentaire des Tilleuls", "Lyon", "69001", "FR", "micro", "punctual", 3, (260, 900), "Isabelle Nguyen", "Assistante de direction"),
    Customer("fontanella", "Pizzeria La Fontanella", "Valence", "26000", "FR", "micro", "bad", 4, (160, 430), "Enzo Carli", "Gérant", until=-120),
    Customer("auto_ecole", "Auto-école du Parc", "Lyon", "69006", "FR", "micro", "punctual", 3, (130, 340), "Sandrine Millet", "Secrétaire comptable"),
    Customer("pressing_gare", "Pressing de la Gare", "Vienne", "38200", "FR", "micro", "disorganised", 3, (110, 280), "Paulo Teixeira", "Gérant", until=-140),
    Customer("studio_lumen", "Studio photo Lumen", "Lyon", "69007", "FR", "micro", "disorganised", 3, (140, 360), "Maëlle Guérin", "Photographe", until=-170),
    Customer("menuiserie_chevrier", "Menuiserie Chevrier", "Bourgoin-Jallieu", "38300", "FR", "micro", "punctual", 5, (320, 1250), "Bruno Chevrier", "Gérant"),
    Customer("saveurs_ici", "Épicerie Saveurs d'Ici", "Tarare", "69170", "FR", "micro", "punctual", 3, (90, 240), "Lucie Marchal", "Gérante", until=-60),
    Customer("camelia", "Institut Camélia", "Givors", "69700", "FR", "micro", "disorganised", 3, (95, 230), "Sarah Benali", "Gérante", until=-30),
    # == Small and medium ==
    Customer("bellerive", "Hôtel Bellerive", "Annecy", "74000", "FR", "sme", "disorganised", 5, (1200, 4800), "Véronique Pasquier", "Responsable administrative", until=-150),
    Customer("ardoise", "Restaurant L'Ardoise Gourmande", "Lyon", "69005", "FR", "sme", "disorganised", 4, (420, 1600), "Thomas Lacroix", "Gérant", until=-70),
    Customer("vallier", "Constructions Vallier", "Saint-Étienne", "42000", "FR", "sme", "bad", 6, (2400, 8200), "Patrice Vallier", "Directeur général", 45, until=-210),
    Customer("archi_lignes", "Agence Archi-Lignes", "Lyon", "69004", "FR", "sme", "punctual", 5, (650, 2900), "Hélène Bastide", "Office manager"),
    Customer("delaunay", "Transports Delaunay-Roux", "Saint-Priest", "69800", "FR", "sme", "bad", 5, (1100, 4200), "Christophe Delmas", "Responsable comptable", until=-190),
    Customer("imprimerie", "Imprimerie des Brotteaux", "Lyon", "69006", "FR", "sme", "disorganised", 5, (700, 2600), "Monique Jourdan", "Comptable fournisseurs", until=-40),
    Customer("veterinaire", "Clinique vétérinaire des Monts", "L'Arbresle", "69210", "FR", "sme", "punctual", 3, (380, 1400), "Julie Forestier", "Responsable administrative"),
    Customer("pagnon", "Serrurerie Pagnon", "Décines-Charpieu", "69150", "FR", "sme", "disorganised", 4, (480, 1700), "Gérard Pagnon", "Gérant", until=-160),
    Customer("bertholet", "Établissements Bertholet & Fils", "Roanne", "42300", "FR", "sme", "punctual", 6, (900, 3800), "Odile Bertholet", "Comptable"),
    Customer("sci_tilleuls", "SCI Les Tilleuls d'Écully", "Écully", "69130", "FR", "sme", "disorganised", 3, (350, 1300), "Bernard Aubry", "Cogérant", until=-140),
    Customer("combe_noire", "Domaine de la Combe Noire", "Belleville-en-Beaujolais", "69220", "FR", "sme", "disorganised", 4, (600, 2300), "Solène Rampon", "Responsable administrative", until=-45),
    Customer("pilat", "Brasserie artisanale du Pilat", "Saint-Chamond", "42400", "FR", "sme", "disorganised", 4, (450, 1900), "Mathieu Granjon", "Gérant", until=-30),
    Customer("morestel", "Charpentes de Morestel", "Morestel", "38510", "FR", "sme", "punctual", 5, (1100, 4400), "Nathalie Ogier", "Comptable fournisseurs"),
    Customer("chauffage_rhone", "Chauffage Service du Rhône", "Vénissieux", "69200", "FR", "sme", "disorganised", 5, (520, 1900), "Denis Faivre", "Gérant"),
    Customer("azurea", "Piscines Azuréa", "Montélimar", "26200", "FR", "sme", "disorganised", 5, (800, 3200), "Corinne Blachère", "Assistante comptable", until=-60),
    Customer("camping_rives", "Camping Les Rives du Lac", "Aix-les-Bains", "73100", "FR", "sme", "disorganised", 3, (900, 2800), "Alain Mercier", "Directeur", until=-120),
    Customer("mobilier_lyonnais", "Mobilier Contemporain Lyonnais", "Lyon", "69009", "FR", "sme", "punctual", 7, (950, 4100), "Estelle Charvet", "Responsable comptable"),
    Customer("verre_lumiere", "Atelier Verre & Lumière", "Chambéry", "73000", "FR", "sme", "punctual", 5, (520, 2100), "Yann Le Goff", "Gérant"),
    Customer("decors_scenes", "Décors & Scènes", "Villeurbanne", "69100", "FR", "sme", "disorganised", 5, (780, 3400), "Aurélie Tissot", "Chargée de production"),
    Customer("saint_clair", "Promotion immobilière Saint-Clair", "Caluire-et-Cuire", "69300", "FR", "sme", "disorganised", 3, (2600, 7800), "Laurent Besson", "Directeur financier", 45, until=-180),
    Customer("confluence", "Syndic Confluence Gestion", "Lyon", "69002", "FR", "sme", "disorganised", 5, (90, 260), "Martine Clavel", "Comptable copropriétés", until=-100),
    # == Mid-size ==
    Customer("alpenia", "Groupe hôtelier Alpenia", "Chambéry", "73000", "FR", "mid", "disorganised", 6, (3200, 11500), "Frédéric Oddon", "Responsable comptabilité fournisseurs", 45, until=-110),
    Customer("forez", "Mécanique générale du Forez", "Montbrison", "42600", "FR", "mid", "bad", 6, (2800, 9400), "Brigitte Chazal", "Comptable fournisseurs", 45, until=-200),
    Customer("val_saone", "Logistique Val de Saône", "Mâcon", "71000", "FR", "mid", "disorganised", 5, (1900, 6900), "Olivier Prost", "Trésorier", 45, until=-90),
    Customer("serena", "Résidences Séréna", "Bourg-en-Bresse", "01000", "FR", "mid", "disorganised", 6, (160, 900), "Catherine Dumoulin", "Comptable unique fournisseurs", until=-110),
    Customer("batisseurs_ain", "Les Bâtisseurs de l'Ain", "Ambérieu-en-Bugey", "01500", "FR", "mid", "punctual", 5, (4200, 12800), "Jean-Luc Morand", "Responsable travaux", 45, until=-90),
    Customer("phytalis", "Laboratoires Phytalis", "Valence", "26000", "FR", "mid", "punctual", 6, (1800, 7600), "Céline Arnoux", "Comptable fournisseurs", 45),
    Customer("rochebrune", "Textiles Rochebrune", "Roanne", "42300", "FR", "mid", "bad", 5, (2900, 8800), "Stéphane Guillot", "Directeur administratif et financier", 45, until=-210),
    # == Large ==
    Customer("grand_rhone", "Foncière du Grand Rhône", "Lyon", "69003", "FR", "large", "disorganised", 7, (6500, 21000), "Anne-Sophie Berger", "Responsable comptabilité fournisseurs", 45, until=-95),
    Customer("meridia", "Distribution Méridia", "Avignon", "84000", "FR", "large", "disorganised", 7, (3800, 12500), "Sylvain Roche", "Chargé de comptes fournisseurs", 60, until=-190),
    Customer("kerval", "Industries Kerval", "Nantes", "44000", "FR", "large", "punctual", 7, (5200, 16800), "Gwenaëlle Morvan", "Centre de services partagés", 60),
    Customer("isara", "Énergies Isara", "Grenoble", "38000", "FR", "large", "punctual", 6, (2900, 9800), "Nicolas Bouvier", "Comptable fournisseurs", 45, until=-80),
    # == Abroad ==
    Customer("steinbach", "Metallbau Steinbach GmbH", "Freiburg im Breisgau", "79098", "DE", "mid", "disorganised", 5, (2400, 7800), "Katrin Vogel", "Buchhaltung", until=-190),
    Customer("hofmann", "Hofmann Ladenbau GmbH", "Stuttgart", "70173", "DE", "sme", "punctual", 5, (1500, 5600), "Jürgen Hofmann", "Geschäftsführer"),
    Customer("ravenscroft", "Ravenscroft Interiors Ltd", "Bristol", "BS1 4DJ", "GB", "sme", "disorganised", 4, (1400, 5900), "Emma Whitlock", "Accounts payable", until=-110),
    Customer("kilbride", "Kilbride Joinery Ltd", "Galway", "H91 E2K3", "IE", "sme", "disorganised", 3, (900, 3600), "Aoife Brennan", "Office manager", until=-60),
    Customer("blue_heron", "Blue Heron Lofts Inc.", "New York", "10013", "US", "sme", "disorganised", 4, (3200, 9400), "Megan Caldwell", "Accounts payable manager", until=-190, currency="USD"),
    Customer("soler", "Carpintería Soler e Hijos SL", "Girona", "17001", "ES", "sme", "bad", 3, (900, 3900), "Marta Soler", "Administración", until=-170),
    Customer("valsesia", "Arredi Valsesia Srl", "Torino", "10121", "IT", "sme", "disorganised", 4, (1300, 4700), "Giulia Ferrero", "Ufficio contabilità", until=-80),
    Customer("dewaele", "Menuiserie Dewaele SRL", "Namur", "5000", "BE", "sme", "punctual", 5, (800, 3200), "Benoît Dewaele", "Gérant"),
    Customer("sambre", "Immo Sambre SA", "Charleroi", "6000", "BE", "mid", "disorganised", 4, (1600, 5800), "Christel Lambert", "Comptable", until=-70),
    # == New ==
    Customer("passerelle", "Coworking La Passerelle", "Lyon", "69007", "FR", "micro", "punctual", 1, (450, 900), "Inès Fabre", "Office manager", since=-110, until=-100),
    Customer("petits_pas", "Crèche Les Petits Pas", "Tassin-la-Demi-Lune", "69160", "FR", "micro", "punctual", 2, (300, 1200), "Delphine Roux", "Directrice", since=-65, until=-8),
    Customer("houblon_or", "Micro-brasserie du Houblon d'Or", "Saint-Genis-Laval", "69230", "FR", "micro", "punctual", 1, (400, 900), "Kévin Laurent", "Gérant", since=-90, until=-85),
    Customer("juris", "Cabinet Juris Presqu'île", "Lyon", "69002", "FR", "sme", "punctual", 1, (1200, 2600), "Élodie Masson", "Secrétaire générale", since=-25, until=-20),
    # == Leaving, and insolvent ==
    Customer("clos_saint_just", "Restaurant Le Clos Saint-Just", "Lyon", "69005", "FR", "sme", "disorganised", 3, (700, 2900), "Fabien Monnet", "Gérant", until=-290),
    Customer("prestige_events", "Prestige Évènements Rhône-Alpes", "Lyon", "69009", "FR", "sme", "bad", 3, (1600, 5400), "Cédric Barbier", "Directeur", until=-340),
    Customer("parilly", "Sport & Bien-être Parilly", "Bron", "69500", "FR", "micro", "disorganised", 3, (300, 1100), "Samia Ouali", "Gérante", until=-280),
    Customer("ossature", "Ossature Bois du Dauphiné", "Voiron", "38500", "FR", "sme", "bad", 4, (1900, 6200), "Rémi Gaillard", "Gérant", 45, until=-240),
)

BELGIAN_COMPANY_CUSTOMERS = (
    Customer("dewaele", "Menuiserie Dewaele SRL", "Namur", "5000", "BE", "sme", "punctual", 3, (700, 2600), "Benoît Dewaele", "Gérant"),
    Customer("sambre", "Immo Sambre SA", "Charleroi", "6000", "BE", "mid", "bad", 4, (1400, 5200), "Christel Lambert", "Comptable"),
    Customer("kerval", "Industries Kerval", "Nantes", "44000", "FR", "large", "disorganised", 3, (2600, 8900), "Gwenaëlle Morvan", "Centre de services partagés", 60),
    Customer("lambrecht", "Bureau d'études Lambrecht", "Liège", "4000", "BE", "sme", "punctual", 3, (600, 2200), "Pascale Lambrecht", "Gérante", since=-500),
    Customer("ter_linden", "Hotel Ter Linden BV", "Brugge", "8000", "BE", "sme", "disorganised", 4, (900, 3400), "Joris Claes", "Boekhouding", since=-500),
    Customer("wauters", "Garage Wauters BV", "Mechelen", "2800", "BE", "micro", "bad", 3, (240, 980), "Dirk Wauters", "Zaakvoerder", since=-400),
    Customer("saveurs_meuse", "Traiteur Saveurs de Meuse", "Dinant", "5500", "BE", "micro", "disorganised", 3, (180, 760), "Sabine Collard", "Gérante", since=-300),
)

# What the collectors wrote down about a customer.
HABIT_NOTES = {
    "grand_rhone": "Payment run on the 10th and 25th. Invoices need the purchase order number, sent through their supplier portal.",
    "meridia": "Payment run every Thursday; statement of account by e-mail first.",
    "kerval": "Shared service centre: quote their 10-digit order number, nobody answers without it.",
    "alpenia": "Head office pays for all hotels, on the last day of the month.",
    "vallier": "Signs transfers himself; best reached before 9 a.m.",
    "bellerive": "Pays by transfer once reminded.",
    "auto_ecole": "Pays by cheque.",
    "confluence": "One payment per building: ask for the list of co-ownerships paid.",
    "blue_heron": "Pays in USD by wire; 6 hours behind, call after 3 p.m.",
    "steinbach": "Speaks German and English. Sends a payment advice.",
}
COMMENTS = {
    "vallier": "Two promises broken in a row: ask for a date and an amount, then confirm by e-mail.",
    "prestige_events": "Says the stand was delivered late; never put it in writing.",
    "clos_saint_just": "The restaurant was sold; the new owner says he did not take over the debts.",
    "grand_rhone": "Important customer, new three-year contract under discussion: speak to the salesperson before escalating.",
}
