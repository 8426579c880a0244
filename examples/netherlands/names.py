"""Names by Faker, written in letters that every one of the six files can hold (windows-1252)."""

from __future__ import annotations

import unicodedata

from faker import Faker

# The locale that stands in where Faker has none of the country itself.
LOCALES = {
    "NLD": "nl_NL", "BEL": "nl_BE", "DEU": "de_DE", "POL": "pl_PL", "ROU": "ro_RO", "HUN": "hu_HU",
    "BGR": "bg_BG", "SVK": "sk_SK", "CZE": "cs_CZ", "TUR": "tr_TR", "VNM": "vi_VN", "IDN": "id_ID",
    "NGA": "yo_NG", "GIN": "fr_DZ", "MAR": "fr_DZ", "SLE": "en_NG", "ERI": "sw", "UGA": "en_KE",
    "SUR": "nl_NL", "CHN": "zh_CN", "unknown": "en_GB",
}  # fmt: skip

# What decomposition does not turn into windows-1252: strokes, and Cyrillic as the Bulgarian law of 2009.
LETTERS = str.maketrans(
    {
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
        "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u",
        "ф": "f", "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ь": "y", "ю": "yu",
        "я": "ya",
    }
)  # fmt: skip


class Names:
    """A seeded source of family and given names by citizenship and sex."""

    def __init__(self, seed: int) -> None:
        self._fakers = {locale: Faker(locale) for locale in sorted(set(LOCALES.values()))}
        for locale, faker in self._fakers.items():
            faker.seed_instance(f"{seed}:{locale}")

    def draw(self, citizenship: str, sex: str) -> tuple[str, str]:
        """A family name and a given name."""
        faker = self._fakers[LOCALES[citizenship]]
        given = faker.first_name_male if sex == "male" else faker.first_name_female
        if citizenship == "CHN":
            return latin(faker.last_romanized_name()), latin(faker.first_romanized_name())
        return latin(faker.last_name()), latin(given())


def latin(name: str) -> str:
    """The name in windows-1252, keeping the accents that this character set has (é, ö) and no others."""
    if not name.isascii():
        plain = (
            name.lower().translate(LETTERS) if "\u0400" <= name[0] <= "\u04ff" else name.translate(LETTERS)
        )
        name = "".join(_fit(letter) for letter in unicodedata.normalize("NFC", plain))
        name = name[:1].upper() + name[1:]
    return name


def _fit(letter: str) -> str:
    """The letter itself where windows-1252 has it, otherwise without its marks."""
    try:
        letter.encode("windows-1252")
    except UnicodeEncodeError:
        return "".join(c for c in unicodedata.normalize("NFD", letter) if not unicodedata.combining(c))
    return letter
