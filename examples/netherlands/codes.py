"""The local code lists of the six files: pairs of what the file says and the notation it stands for.

Several local codes may stand for one notation (cities of a police unit); a notation without a local code is
left empty in the file, as a system that cannot record it would.
"""

from __future__ import annotations

UNIT_NAME = (
    ("Noord-Nederland", "NL-NN"), ("Oost-Nederland", "NL-ON"), ("Midden-Nederland", "NL-MN"),
    ("Noord-Holland", "NL-NH"), ("Amsterdam", "NL-AM"), ("Den Haag", "NL-DH"), ("Rotterdam", "NL-RT"),
    ("Zeeland-West-Brabant", "NL-ZWB"), ("Oost-Brabant", "NL-OB"), ("Limburg", "NL-LB"),
    ("Landelijke Eenheid", "NL-LE"),
)  # fmt: skip
UNIT_NUMBER = tuple((f"{number:02}", notation) for number, (_, notation) in enumerate(UNIT_NAME, 1))
UNIT_ABBREVIATION = tuple((notation.removeprefix("NL-"), notation) for _, notation in UNIT_NAME)
CITY = (
    ("Groningen", "NL-NN"), ("Leeuwarden", "NL-NN"), ("Assen", "NL-NN"), ("Zwolle", "NL-ON"),
    ("Enschede", "NL-ON"), ("Arnhem", "NL-ON"), ("Nijmegen", "NL-ON"), ("Utrecht", "NL-MN"),
    ("Almere", "NL-MN"), ("Haarlem", "NL-NH"), ("Alkmaar", "NL-NH"), ("Amsterdam", "NL-AM"),
    ("'s-Gravenhage", "NL-DH"), ("Leiden", "NL-DH"), ("Rotterdam", "NL-RT"), ("Dordrecht", "NL-RT"),
    ("Breda", "NL-ZWB"), ("Tilburg", "NL-ZWB"), ("Middelburg", "NL-ZWB"), ("Eindhoven", "NL-OB"),
    ("'s-Hertogenbosch", "NL-OB"), ("Maastricht", "NL-LB"), ("Venlo", "NL-LB"), ("Driebergen", "NL-LE"),
)  # fmt: skip

COUNTRY_NL = (
    ("Nederland", "NLD"), ("Bulgarije", "BGR"), ("Roemenië", "ROU"), ("Polen", "POL"), ("Hongarije", "HUN"),
    ("Nigeria", "NGA"), ("Guinee", "GIN"), ("Sierra Leone", "SLE"), ("Eritrea", "ERI"), ("Oeganda", "UGA"),
    ("Vietnam", "VNM"), ("China", "CHN"), ("Slowakije", "SVK"), ("Tsjechië", "CZE"), ("Turkije", "TUR"),
    ("Marokko", "MAR"), ("Suriname", "SUR"), ("Indonesië", "IDN"), ("België", "BEL"), ("Duitsland", "DEU"),
)  # fmt: skip
COUNTRY_EN = (
    ("Netherlands", "NLD"), ("Bulgaria", "BGR"), ("Romania", "ROU"), ("Poland", "POL"), ("Hungary", "HUN"),
    ("Nigeria", "NGA"), ("Guinea", "GIN"), ("Sierra Leone", "SLE"), ("Eritrea", "ERI"), ("Uganda", "UGA"),
    ("Vietnam", "VNM"), ("China", "CHN"), ("Slovakia", "SVK"), ("Czechia", "CZE"), ("Türkiye", "TUR"),
    ("Morocco", "MAR"), ("Suriname", "SUR"), ("Indonesia", "IDN"), ("Belgium", "BEL"), ("Germany", "DEU"),
    ("Unknown", "unknown"),
)  # fmt: skip
ALPHA2 = (
    ("NL", "NLD"), ("BG", "BGR"), ("RO", "ROU"), ("PL", "POL"), ("HU", "HUN"), ("NG", "NGA"), ("GN", "GIN"),
    ("SL", "SLE"), ("ER", "ERI"), ("UG", "UGA"), ("VN", "VNM"), ("CN", "CHN"), ("SK", "SVK"), ("CZ", "CZE"),
    ("TR", "TUR"), ("MA", "MAR"), ("SR", "SUR"), ("ID", "IDN"), ("BE", "BEL"), ("DE", "DEU"),
)  # fmt: skip

FORM_NL = (
    ("seksuele uitbuiting", "sexual"), ("arbeidsuitbuiting", "labour"), ("criminele uitbuiting", "criminal"),
    ("huishoudelijke uitbuiting", "domestic"), ("gedwongen bedelarij", "begging"),
    ("gedwongen huwelijk", "marriage"), ("orgaanverwijdering", "organ"), ("anders", "other"),
)  # fmt: skip
FORM_EN = (
    ("Sexual", "sexual"), ("Labour", "labour"), ("Crime", "criminal"), ("Household", "domestic"),
    ("Begging", "begging"), ("Marriage", "marriage"), ("Organs", "organ"), ("Other", "other"),
    ("?", "unknown"),
)  # fmt: skip
FORM_SHORT = (
    ("SEKS", "sexual"), ("ARB", "labour"), ("CRIM", "criminal"), ("HUIS", "domestic"), ("BEDEL", "begging"),
    ("HUW", "marriage"), ("ORG", "organ"), ("OVERIG", "other"),
)  # fmt: skip
FORM_NUMBER = (
    ("10", "labour"), ("11", "domestic"), ("20", "sexual"), ("30", "criminal"), ("31", "begging"),
    ("90", "other"), ("99", "unknown"),
)  # fmt: skip
FORM_LETTER = (
    ("S", "sexual"), ("A", "labour"), ("C", "criminal"), ("H", "domestic"), ("B", "begging"),
    ("M", "marriage"), ("O", "organ"), ("X", "other"), ("U", "unknown"),
)  # fmt: skip
FORM_HTCDS = (
    ("SexualExploitation", "sexual"), ("ForcedLabour", "labour"), ("Servitude", "domestic"),
    ("ForcedBegging", "begging"), ("ForcedMarriage", "marriage"), ("OrganRemoval", "organ"),
    ("CriminalExploitation", "criminal"), ("Other", "other"),
)  # fmt: skip
SEX_HTCDS = (("Feminine", "female"), ("Masculine", "male"), ("NonSpecifiedUnknown", "unknown"))

MEANS_HTCDS = (
    ("DebtBondage", "debt-bondage"), ("TakesEarnings", "takes-earnings"), ("Threats", "threats"),
    ("RestrictsFinancialAccess", "restricts-financial-access"), ("PsychologicalAbuse", "psychological-abuse"),
    ("PhysicalAbuse", "physical-abuse"), ("SexualAbuse", "sexual-abuse"), ("FalsePromises", "false-promises"),
    ("PsychoactiveSubstances", "psychoactive-substances"), ("RestrictsMovement", "restricts-movement"),
    ("RestrictsMedicalCare", "restricts-medical-care"), ("ExcessiveWorkingHours", "excessive-working-hours"),
    ("UsesChildren", "uses-children"), ("ThreatOfLawEnforcement", "threat-of-law-enforcement"),
    ("WithholdsNecessities", "withholds-necessities"), ("WithholdsDocuments", "withholds-documents"),
)  # fmt: skip
MEANS_SHORT = tuple((f"D{number:02}", notation) for number, (_, notation) in enumerate(MEANS_HTCDS, 1))
MEANS_NL = (
    ("schulden", "debt-bondage"), ("afdracht verdiensten", "takes-earnings"), ("bedreiging", "threats"),
    ("geen toegang tot geld", "restricts-financial-access"), ("psychisch geweld", "psychological-abuse"),
    ("lichamelijk geweld", "physical-abuse"), ("seksueel geweld", "sexual-abuse"),
    ("misleiding", "false-promises"),
    ("drugs of alcohol", "psychoactive-substances"), ("vrijheidsbeperking", "restricts-movement"),
    ("geen medische zorg", "restricts-medical-care"), ("lange werktijden", "excessive-working-hours"),
    ("inzet kinderen", "uses-children"), ("dreigen met politie", "threat-of-law-enforcement"),
    ("onthouden eten/onderdak", "withholds-necessities"), ("afnemen papieren", "withholds-documents"),
)  # fmt: skip

RECRUITER_NL = (
    ("partner", "partner"), ("familie", "family"), ("kennis", "friend"), ("anders", "other"),
    ("onbekend", "unknown"),
)  # fmt: skip
RECRUITER_EN = (
    ("Partner", "partner"), ("Family", "family"), ("Friend", "friend"), ("Other", "other"),
    ("Unknown", "unknown"),
)  # fmt: skip
