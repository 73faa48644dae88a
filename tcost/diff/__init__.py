"""What has changed between two training steps, each priced here or saved before."""

from tcost.diff.differences import Change, Difference, Differences, differences
from tcost.diff.sides import Asked, Side, price_both
from tcost.diff.snapshots import Snapshot, saved_snapshot, snapshot_of

__all__ = [
    "Asked",
    "Change",
    "Difference",
    "Differences",
    "Side",
    "Snapshot",
    "differences",
    "price_both",
    "saved_snapshot",
    "snapshot_of",
]
