"""Families of which some layers are not rotated: those that slide not, or those of a list."""

from typing import Any

from tcost.importers.fields import Fields
from tcost.importers.parts import every, full_or_listed, window


def rotated_where_sliding(f: Fields, depth: int, *, else_all: bool) -> None:
    """Set the sliding window of all layers but every so many, and that the others are not rotated.

    `else_all` tells whether all layers are rotated where there is no window, or none is.
    """
    pattern = f.optional("sliding_window_pattern") or 1
    if f.optional("sliding_window") is None:
        f.agree(layer_types=["full_attention"] * depth)
        f.set(positions="rotary" if else_all else "none")
        return
    window(f, depth, every(pattern))
    _leave_unrotated(f, depth, "layer_types", full_or_listed(f, depth, every(pattern)))


def unrotated_by_list(f: Fields, depth: int) -> list[int]:
    """Set the layers that are not rotated: those of zeros in a list, by default every so many. Return 1 for others."""
    f.ignore("no_rope_layers")
    given, interval = f.values.get("no_rope_layers"), f.number("no_rope_layer_interval")
    if not given:
        _leave_unrotated(f, depth, "no_rope_layer_interval", every(interval))
        return [int((layer + 1) % interval != 0) for layer in range(depth)]
    rotated = _flags(f, given, depth)
    _leave_unrotated(f, depth, "no_rope_layers", [layer for layer in range(depth) if not rotated[layer]])
    return rotated


def sliding_where_unrotated(f: Fields, depth: int) -> None:
    """Set the layers that are not rotated, which alone may have a sliding window."""
    rotated = unrotated_by_list(f, depth)
    if f.flag("use_sliding_window"):
        window(f, depth, [layer for layer in range(depth) if rotated[layer]])
    else:
        f.ignore("sliding_window")
        f.agree(layer_types=["full_attention"] * depth)


def _flags(f: Fields, given: Any, depth: int) -> list[int]:
    if not isinstance(given, list) or len(given) < depth or any(each not in (0, 1) for each in given):
        raise f.wrong("no_rope_layers", f"a list of {depth} numbers, 1 for a layer that is rotated and 0 for others")
    return given


def _leave_unrotated(f: Fields, depth: int, name: str, layers: list[int] | dict[str, int]) -> None:
    if layers if isinstance(layers, list) else layers["first"] < depth:
        f.put("unrotated_layers", name, layers)
