"""Amounts and text as a person reads them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcost.errors import InputError
from tcost.text import csv_cell, markdown_cell, visible
from tcost.units import change, common_unit, grouped, parse_amount, parse_bytes, parse_percent, percent, share, si

PREFIXES = dict(zip("kMGTPEZYRQ", range(3, 33, 3), strict=True))


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.000 k"),
        (9999, "9.999 k"),
        (12345, "12.35 k"),
        (999_949, "999.9 k"),
        (999_950, "1.000 M"),
        (646_129_385_472, "646.1 G"),
        (-123_456, "-123.5 k"),
        (10**33, "1" + ",000" * 11),
    ],
)
def test_si(amount: int, text: str) -> None:
    """Four significant digits, halves away from zero, carries into the next prefix, exact beyond the last one."""
    assert si(amount) == text


@given(amount=st.integers(1000, 10**33 - 10**30))
def test_si_rounds_to_half_a_unit_of_its_last_digit(amount: int) -> None:
    """What is shown, read back, differs from the amount by at most half of its last digit."""
    number, prefix = si(amount).split()
    decimals = len(number.partition(".")[2])
    unit = Fraction(10 ** PREFIXES[prefix], 10**decimals)
    assert abs(Fraction(number) * 10 ** PREFIXES[prefix] - amount) <= unit / 2
    assert len(number.replace(".", "")) == 4


@pytest.mark.parametrize(
    ("ratio", "text", "number"),
    [
        (Fraction(-507, 1000), "-50.7 %", -50.7),
        (Fraction(0), "+0 %", 0.0),
        (Fraction(1, 3), "+33.3 %", 33.3),
        (Fraction(9999, 10000), "+100 %", 100.0),
        (Fraction(12345, 1000), "+1234 %", 1230.0),
        (Fraction(-1, 8000), "-0.0125 %", -0.0125),
    ],
)
def test_changes_have_three_significant_digits(ratio: Fraction, text: str, number: float) -> None:
    """A change shows its sign and three significant digits; integers above 1000 stay whole."""
    assert change(ratio) == text
    assert percent(ratio) == number


def test_shares_and_groups() -> None:
    """Shares have one decimal, of nothing there is none; integers are grouped in threes."""
    assert [share(1, 3), share(-1, 8), share(0, 0)] == ["33.3 %", "-12.5 %", "-"]
    assert grouped(-1234567) == "-1,234,567"


def test_text_cannot_drive_a_terminal_a_spreadsheet_or_markdown() -> None:
    """Control and direction characters are shown, formulas are quoted, markup is escaped."""
    assert visible("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\n"
    assert visible("gpt2 é 模型 \udcff") == "gpt2 é 模型 \\udcff"
    assert [csv_cell(text) for text in ("=1+1", "+1", "-1", "@x", "gpt-2")] == ["'=1+1", "'+1", "'-1", "'@x", "gpt-2"]
    assert markdown_cell("a|b <i> `c` *d* [e]") == r"a\|b \<i\> \`c\` \*d\* \[e\]"


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("2.4T", 2_400_000_000_000),
        ("130M", 130_000_000),
        ("7B", 7 * 10**9),
        ("1.5 k", 1500),
        ("1.5K", 1500),
        ("1_000_000", 10**6),
        ("2.4e12", 2_400_000_000_000),
        ("0.000000000000000000000000000001Q", 1),
        ("9007199254740993", 2**53 + 1),
        ("2E", 2 * 10**18),
    ],
)
def test_parse_amount(text: str, amount: int) -> None:
    """An amount is the exact integer that is written, beyond what floating point holds."""
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["", "T", "2.4m", "1.2345k", "0.1", "-1", "1__0", "1_", "_1", "1_k", "٣", "1e999", "9" * 51, "2.4TB"]
)
def test_what_is_no_amount(text: str) -> None:
    """What is no whole number, or has no unit that counts, is refused."""
    with pytest.raises(InputError, match=r"not an amount|no whole number"):
        parse_amount(text)
    with pytest.raises(InputError, match=r"not an amount of bytes|no whole number of bytes"):
        parse_bytes("1_GB")


@given(number=st.integers(0, 10**18), prefix=st.sampled_from(sorted(PREFIXES)))
def test_parse_amount_reads_prefixes(number: int, prefix: str) -> None:
    """A whole number and a prefix is that number times the power of ten."""
    assert parse_amount(f"{number:,}{prefix}".replace(",", "_")) == number * 10 ** PREFIXES[prefix]


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("5%", Fraction(1, 20)), ("0.1 %", Fraction(1, 1000)), ("0%", Fraction(0)), ("150%", Fraction(3, 2))],
)
def test_parse_percent(text: str, ratio: Fraction) -> None:
    """A percentage is an exact ratio."""
    assert parse_percent(text) == ratio


@pytest.mark.parametrize("text", ["5", "%", "-5%", "5 percent", "1_%", "1" * 60 + "%"])
def test_what_is_no_percentage(text: str) -> None:
    """A number without its sign is refused: 5 might be 500 %."""
    with pytest.raises(InputError, match="not a percentage"):
        parse_percent(text)


@given(amounts=st.lists(st.integers(0, 2**70), min_size=1, max_size=5))
def test_a_unit_for_all(amounts: list[int]) -> None:
    """In the unit of a table each amount is right to half a tenth, and the largest has three to six digits."""
    unit, written = common_unit(amounts)
    size = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB").index(unit)
    assert unit == "B" or 100 <= max(amounts) / size < 102_400
    for amount in amounts:
        text = written(amount)
        if text == "<0.1":
            assert 0 < amount < size / 20
        elif unit == "B":
            assert text == f"{amount:,}"
        else:
            assert abs(Fraction(text.replace(",", "")) - Fraction(amount, size)) <= Fraction(1, 20)
