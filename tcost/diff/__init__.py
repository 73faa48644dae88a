"""What has changed between two training steps, each priced here or saved before."""

from tcost.diff.differences import Change, Difference, Differences, differences
from tcost.diff.sides import Asked, Side, price_both, read_side
from tcost.diff.snapshots import Snapshot, snapshot_of

__all__ = [
    "Asked",
    "Change",
    "Difference",
    "Differences",
    "Side",
    "Snapshot",
    "differences",
    "price_both",
    "read_side",
    "snapshot_of",
]
