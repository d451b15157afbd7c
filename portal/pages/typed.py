"""What people type, and what they are told about it."""

import re
from typing import Final

from kernel.units import InexactAmount, parse_credits

_NUMBER: Final = re.compile(r"-?[0-9]{1,20}([.][0-9]{1,20})?")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?")


def plain(typed: str) -> str:
    """What was typed as a decimal. Commas between thousands are read as we show them; "12,5" is left, and refused."""
    text = "".join(typed.split())
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


def credits_typed(typed: str) -> int:
    """Microcredits of what was typed. Raises ValueError with a sentence for the person who typed it."""
    text = plain(typed)
    if not _NUMBER.fullmatch(text):
        raise ValueError("Write a number such as 1,000 or 12.5.")
    try:
        return parse_credits(text)
    except InexactAmount as refusal:
        raise ValueError(sentence(str(refusal))) from None


def sentence(text: str) -> str:
    """A refusal's detail as a sentence."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
