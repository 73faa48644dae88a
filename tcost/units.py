"""Amounts as a person reads them: exact integers in, rounded once, without floating point."""

import re
from typing import TYPE_CHECKING

from tcost.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from fractions import Fraction

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB", "RiB", "QiB")
_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y", "R", "Q")
_SIGNIFICANT = 4
_DECIMAL = r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?"

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


def common_unit(amounts: "Iterable[int]") -> "tuple[str, Callable[[int], str]]":
    """Return a binary unit for all amounts of bytes of a table, and what writes one in it, with one decimal.

    The largest has three to six digits before the point; what is less than half of the last decimal is `<0.1`.
    """
    most = max(amounts, default=0)
    power = min(max(0, (most.bit_length() - 1) // 10), len(_BINARY) - 1)
    power -= power > 0 and most < 100 << (10 * power)
    unit = 1 << (10 * power)

    def written(amount: int) -> str:
        tenths = (20 * amount + unit) // (2 * unit)
        if power == 0 or amount == 0:
            return grouped(amount)
        return f"{tenths // 10:,}.{tenths % 10}" if tenths else "<0.1"

    return _BINARY[power], written


def parse_bytes(text: str) -> int:
    """Return the bytes that a text means, exactly: `24GiB` is 25769803776, `1.5 GB` 1500000000, `512` 512.

    Raises InputError for what is no amount of bytes, or no whole number of them.
    """
    units = {"": 1, "b": 1} | {f"{prefix}b".lower(): 1000**power for power, prefix in enumerate(_PREFIXES) if power}
    units |= {unit.lower(): 1024**power for power, unit in enumerate(_BINARY) if power}
    return _whole(text, lambda unit: units.get(unit.lower()), " of bytes", "24GiB or 512 MB")


def parse_amount(text: str) -> int:
    """Return the number that a text means, exactly: `2.4T` is 2400000000000, `130M` 130000000, `7e9` 7000000000.

    Prefixes are those of SI, with `K` for `k` and the field's `B` for `G`. Raises InputError for what is no amount,
    or no whole number.
    """
    units = {prefix: 1000**power for power, prefix in enumerate(_PREFIXES)} | {"K": 1000, "B": 1000**3}
    return _whole(text, units.get, "", "2.4T or 130M")


def _whole(text: str, factor_of: "Callable[[str], int | None]", what: str, example: str) -> int:
    """Return a number times the factor of the unit behind it."""
    found = re.fullmatch(f"({_DECIMAL}(?:[eE][+]?[0-9]{{1,2}})?)\\s*([A-Za-z]*)", text.strip())
    factor = factor_of(found[2]) if found and len(text) <= MAX_TEXT else None
    if found and factor is None and factor_of(f"{found[2]}iB"):
        decimal, of_1024 = f"{found[1]}{found[2]}B", f"{found[1]}{found[2].upper()}iB"
        raise InputError(f"{text!r} could be {decimal}, of thousands, or {of_1024}, of 1,024s\nexpected one of the two")
    if not found or factor is None:
        raise InputError(f"{text[:MAX_TEXT]!r} is not an amount{what}\nexpected a number and a unit, as in {example}")
    amount = _fraction(found[1]) * factor
    if amount.denominator != 1:
        raise InputError(f"{text!r} is no whole number{what}\nexpected one, as in {example}")
    return int(amount)


def parse_percent(text: str) -> "Fraction":
    """Return the ratio that a text in percent means, exactly: `5%` is 1/20, `0.1 %` 1/1000.

    Raises InputError for what is no percentage, the sign `%` included.
    """
    found = re.fullmatch(f"({_DECIMAL})\\s*%", text.strip())
    if not found or len(text) > MAX_TEXT:
        raise InputError(f"{text[:MAX_TEXT]!r} is not a percentage\nexpected a number and the sign, as in 5%")
    return _fraction(found[1]) / 100


def _fraction(number: str) -> "Fraction":
    from fractions import Fraction

    return Fraction(number)


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
