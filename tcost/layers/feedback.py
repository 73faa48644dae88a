"""What forward-only learning rules add: the error, and its way to the embeddings."""

from tcost.exact import same
from tcost.tracing import Tensor, layer
from tcost.tracing.operations import add, add_row, contract, output_error, scale, softmax


@layer
def error(y: Tensor) -> Tensor:
    """Error of the output: the probabilities less the one-hot targets.

    y [q, vocab] -> [q, vocab]. Source: Dellaferrera & Kreiman, ICML 2022, section 2.
    """
    return output_error(y)


@layer
def error_projection(error: Tensor, feedback: Tensor, embedded: Tensor) -> Tensor:
    """PEPITA's modulated input: the error, through a fixed random matrix F, added to the embedding output.

    error [q, vocab], feedback F [vocab, d], embedded [q, d] -> [q, d]; the single row of a classifier's
    error is added to every row. Source: Dellaferrera & Kreiman, ICML 2022, section 2; its size on a
    transformer: the paper.
    """
    projected = contract("projection", error, feedback, "q vocab, vocab d -> q d")
    if same(error.shape[0], 1) and not same(embedded.shape[0], 1):
        return add_row("modulated_input", embedded, projected)
    return add("modulated_input", embedded, projected)


@layer
def encoder_error_projection(error: Tensor, mixing: Tensor, feedback: Tensor, embedded: Tensor) -> Tensor:
    """PEPITA's modulated input of an encoder, from the error of the decoder.

    An attention-like map takes the error's rows q to the encoder's rows k, then F takes vocab to d.
    error [q, vocab], mixing [k, q], feedback F [vocab, d], embedded [k, d] -> [k, d]; mixing and F are
    fixed and random. Source: the paper's encoder-decoder under PEPITA.
    """
    weights = softmax(scale(mixing, mixing.shape[0]))
    mixed = contract("mixing", weights, error, "k q, q vocab -> k vocab")
    projected = contract("projection", mixed, feedback, "k vocab, vocab d -> k d")
    return add("modulated_input", embedded, projected)
