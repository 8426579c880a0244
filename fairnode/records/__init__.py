"""The nouns of the house as frozen dataclasses and enums, and the one table of allowed transitions."""
