"""What people type: one place that says which text is accepted. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls, halves of characters, line and paragraph ends.
_REFUSED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Marks that turn the reading direction of all that follows them; a name could show as another.
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def is_clean(text: str) -> bool:
    """Whether the text has no control character, line end or mark that turns what follows."""
    if text.isprintable():
        return True
    return not any(
        letter in _TURNING or unicodedata.category(letter) in _REFUSED for letter in text
    )


def is_title(text: str, *, longest: int) -> bool:
    """Whether the text can name something for people: not blank, clean, not too long."""
    return 1 <= len(text) <= longest and not text.isspace() and is_clean(text)


def is_label(text: str, *, longest: int) -> bool:
    """Whether the text can be a code or key: clean, 1 to `longest` characters."""
    return 1 <= len(text) <= longest and is_clean(text)
