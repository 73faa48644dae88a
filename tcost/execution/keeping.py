"""What the executed kernels keep for their gradients, where it is not what eager PyTorch keeps.

The counts of convention `exact` are those of kernels that keep what saves work: normalised rows, a
distribution function, a tanh. PyTorch keeps the input and computes them once more.
"""

from collections.abc import Mapping

from tcost.kinds import Keep, Passing, keeps, keeps_nothing, passing
from tcost.kinds.keeping import keeps_factors, keeps_input_of_weight

_NORMS = (
    *("layer_norm", "layer_norm_without_bias", "layer_norm_without_weight"),
    *("rms_norm", "rms_norm_without_weight"),
)

KEPT_BY_KERNELS: Mapping[str, Keep] = {
    **dict.fromkeys(("combine", "contract"), keeps_factors),  # numbers are read where they are, whatever shares them
    "convolution": keeps_input_of_weight,
    "cross_entropy": keeps(output=True),
    "expert_linear": keeps_input_of_weight,
    "rotary": keeps_nothing,  # angles are computed where they are used
    "scaled_rows": keeps_nothing,  # likewise their constants
    **dict.fromkeys(_NORMS, keeps(elements=1, rows=1)),  # the normalised rows, the inverse deviations
    **dict.fromkeys(("gelu", "gelu_tanh", "gelu_new"), keeps(input=True, elements=1)),  # Phi, or the tanh
    "sink_softmax": keeps(output=True, rows=1),
    "relu": keeps(elements=1),  # the mask
    **dict.fromkeys(("silu", "quick_gelu"), keeps(output=True, elements=1)),  # the sigmoid
    "normalised_sum": keeps(output=True, rows=1),
}

PASSING_IN_KERNELS: Mapping[str, Passing] = {"cross_entropy": passing(1)}
"""What passes in their backward: the loss's probabilities less the targets, in the place of their gradient."""
