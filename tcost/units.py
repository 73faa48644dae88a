"""Amounts as a person reads them: exact integers in, rounded once, without floating point."""

import re
from typing import TYPE_CHECKING

from tcost.errors import InputError

if TYPE_CHECKING:
    from fractions import Fraction

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB", "RiB", "QiB")
_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
_SIGNIFICANT = 4

MAX_TEXT = 50
"""No honest amount is written in more characters."""


def si(amount: int) -> str:
    """Return an amount with an SI prefix and four significant digits: 646129385472 is `646.1 G`.

    Below 1000 it is exact; beyond 10^33 it is the exact integer. Halves round away from zero.
    """
    if amount < 0:
        return "-" + si(-amount)
    power = (len(str(amount)) - 1) // 3
    if power == 0:
        return str(amount)
    decimals = _SIGNIFICANT - (len(str(amount)) - 3 * power)
    unit = 10 ** (3 * power)
    scaled = (2 * amount * 10**decimals + unit) // (2 * unit)
    if scaled == 10**_SIGNIFICANT:
        return si(scaled * unit // 10**decimals)
    if power >= len(_PREFIXES):
        return grouped(amount)
    whole, fraction = divmod(scaled, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d} {_PREFIXES[power]}"


def grouped(amount: int) -> str:
    """Return the exact integer in groups of three: `646,129,385,472`."""
    return f"{amount:,}"


def binary(amount: int) -> str:
    """Return bytes with a binary prefix and four significant digits: 3572423684 is `3.327 GiB`.

    Below 1024 it is exact, and beyond 1024^11 the exact integer. Halves round away from zero.
    """
    if amount < 0:
        return "-" + binary(-amount)
    power = max(0, (amount.bit_length() - 1) // 10)
    if power == 0 or power >= len(_BINARY):
        return f"{grouped(amount)} B"
    unit = 1 << (10 * power)
    decimals = _SIGNIFICANT - len(str(amount // unit))
    scaled = (2 * amount * 10**decimals + unit) // (2 * unit)
    if scaled == 1024 * 10**decimals:
        return binary(unit << 10)
    whole, fraction = divmod(scaled, 10**decimals)
    return f"{whole}.{fraction:0{decimals}d} {_BINARY[power]}" if decimals else f"{whole} {_BINARY[power]}"


def parse_bytes(text: str) -> int:
    """Return the bytes that a text means, exactly: `24GiB` is 25769803776, `1.5 GB` 1500000000, `512` 512.

    Raises InputError for what is no amount of bytes, or no whole number of them.
    """
    from fractions import Fraction

    found = re.fullmatch(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    units = {"": 1, "b": 1} | {f"{prefix}b".lower(): 1000**power for power, prefix in enumerate(_PREFIXES) if power}
    units |= {unit.lower(): 1024**power for power, unit in enumerate(_BINARY) if power}
    if not found or len(text) > MAX_TEXT or found[2].lower() not in units:
        raise InputError(f"{text!r} is not an amount of bytes\nexpected a number and a unit, as in 24GiB or 512 MB")
    amount = Fraction(found[1]) * units[found[2].lower()]
    if amount.denominator != 1:
        raise InputError(f"{text!r} is no whole number of bytes\nexpected one, as in 24GiB or 512 MB")
    return int(amount)


def percent(ratio: "Fraction") -> float:
    """Return a ratio in percent, rounded to three significant digits."""
    return float(f"{float(100 * ratio):.3g}")


def change(ratio: "Fraction") -> str:
    """Return a relative change with its sign and three significant digits: `-50.7 %`."""
    value = float(100 * ratio)
    exponent = int(f"{value:.2e}".partition("e")[2]) if value else 2
    return f"{value:+.{max(0, 2 - exponent)}f} %"


def share(part: int, whole: int) -> str:
    """Return a part of a whole in percent with one decimal: `6.1 %`; of nothing there is no share."""
    return f"{100 * part / whole:.1f} %" if whole else "-"
