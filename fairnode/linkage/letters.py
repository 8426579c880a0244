"""Names in capital letters A to Z, so that two spellings of one name have a chance to be equal.

Accents are taken off by Unicode decomposition. Letters that do not decompose, Cyrillic and Greek go by the
tables below: the transliteration in Bulgarian passports (law of 2009) with the Russian, Ukrainian and Serbian
letters of ICAO 9303 part 3, section 6, and ISO 843 for Greek. Every other script goes by the tables of anyascii.
It has no vowels for Arabic and Hebrew, where none are written: such a name equals the same in its own script,
and hardly one that a desk has put into Latin letters.
"""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

_LATIN = {
    "ß": "SS", "ẞ": "SS", "Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ı": "I",
    "Ə": "E", "Ŋ": "NG", "Ɓ": "B", "Ɗ": "D", "Ƙ": "K", "Ƴ": "Y", "Ĳ": "IJ",
}  # fmt: skip
_CYRILLIC = {
    "А": "A", "Б": "B", "В": "V", "Г": "G", "Д": "D", "Е": "E", "Ё": "E", "Ж": "ZH", "З": "Z", "И": "I",
    "Й": "Y", "К": "K", "Л": "L", "М": "M", "Н": "N", "О": "O", "П": "P", "Р": "R", "С": "S", "Т": "T",
    "У": "U", "Ф": "F", "Х": "H", "Ц": "TS", "Ч": "CH", "Ш": "SH", "Щ": "SHT", "Ъ": "A", "Ы": "Y", "Ь": "Y",
    "Э": "E", "Ю": "YU", "Я": "YA", "І": "I", "Ї": "I", "Є": "IE", "Ґ": "G", "Ђ": "D", "Ј": "J", "Љ": "LJ",
    "Њ": "NJ", "Ћ": "C", "Џ": "DZ",
}  # fmt: skip
_GREEK = {
    "Α": "A", "Β": "V", "Γ": "G", "Δ": "D", "Ε": "E", "Ζ": "Z", "Η": "I", "Θ": "TH", "Ι": "I", "Κ": "K",
    "Λ": "L", "Μ": "M", "Ν": "N", "Ξ": "X", "Ο": "O", "Π": "P", "Ρ": "R", "Σ": "S", "Τ": "T", "Υ": "Y",
    "Φ": "F", "Χ": "CH", "Ψ": "PS", "Ω": "O",
}  # fmt: skip
_TABLE = str.maketrans(_LATIN | _CYRILLIC | _GREEK)
_BEFORE = """
    VAN DE DER DEN HET T TER TEN TE OP IN UIT AAN BIJ S V D VD VON ZU ZUM DU DES LE LA LES DA DOS DAS DI EL AL
    BIN BEN BINT IBN ABU"""
PARTICLES = frozenset(_BEFORE.split())
"""Words before a family name that one desk writes, another leaves out and a third abbreviates (v.d.)."""
_SOUNDS = {
    letter: digit
    for digit, letters in {"1": "BFPV", "2": "CGJKQSXZ", "3": "DT", "4": "L", "5": "MN", "6": "R"}.items()
    for letter in letters
}


def words(name: str) -> list[str]:
    """The words of a name in capital letters A to Z; hyphens and apostrophes divide, other signs vanish."""
    decomposed = unicodedata.normalize("NFKD", name)
    # the tables come after the accents are off, or й would not be found; case last, as ß has no capital
    bare = "".join(c for c in decomposed if not unicodedata.combining(c)).upper().translate(_TABLE)
    parts = re.split(r"[\s\-–'’`.,/()]+", bare if bare.isascii() else _other_scripts(bare))
    return [word for part in parts if (word := re.sub("[^A-Z]", "", part))]


def _other_scripts(name: str) -> str:
    """A name with the letters of other scripts in Latin capitals; put together first, as Hangul has syllables.

    Signs that are no letters are left as they are, for the library has words for them (a heart is "HEART").
    """
    together = unicodedata.normalize("NFC", name)
    return "".join(
        _bare(anyascii(c)) if unicodedata.category(c)[0] in "LM" and not c.isascii() else c for c in together
    )


def _bare(latin: str) -> str:
    """Capital letters only: what stands for ayin and the like is written by one desk and left out by another."""
    return re.sub("[^A-Z]", "", latin.upper())


def family(name: str) -> str:
    """A family name as one word without the particles in front: "van der Berg" and "Berg" are the same."""
    found = words(name)
    while len(found) > 1 and found[0] in PARTICLES:
        found = found[1:]
    return "".join(found)


def given(name: str) -> str:
    """The first of the given names."""
    found = words(name)
    return found[0] if found else ""


def soundex(word: str) -> str:
    """The first letter and three digits for how the rest sounds (Russell 1918, as of the US National
    Archives: H and W do not separate equal sounds, vowels do). Empty for an empty word.
    """
    if not word:
        return ""
    code, last = word[0], _SOUNDS.get(word[0], "")
    for letter in word[1:]:
        sound = _SOUNDS.get(letter, "")
        if sound and sound != last:
            code += sound
        if letter not in "HW":
            last = sound
    return (code + "000")[:4]
