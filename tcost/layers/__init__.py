"""Layers and blocks of a transformer: ordinary functions of tensors, each written once.

Axes: `q` query rows, `k` key rows, `d` model width, `f` feed-forward width, `kv` heads of keys and
values, `g` query heads of each, `e` head width, `r` rank, `vocab`, `expert`, `choice` the experts that a
token chose. The paper is Pau & Aymone, Eng 2024, 5(1), 34-50.
"""

from tcost.layers.attention import score_biases
from tcost.layers.blocks import block
from tcost.layers.embeddings import embed, table_name
from tcost.layers.feedback import encoder_error_projection, error, error_projection
from tcost.layers.heads import final_norm, head

__all__ = [
    "block",
    "embed",
    "encoder_error_projection",
    "error",
    "error_projection",
    "final_norm",
    "head",
    "score_biases",
    "table_name",
]
