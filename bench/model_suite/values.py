"""Outputs of contenders against the reference."""

import numpy as np

from model_suite.contender import ContenderError

import harness  # Of tests/models.

OUR_TOLERANCE = harness.TOLERANCE
PEER_TOLERANCE = 1e-3


def _in_order_of(value: np.ndarray, wanted: tuple[int, ...]) -> np.ndarray:
    """Engines drop the batch (ncnn) or keep channels last (LiteRT); the numbers must still fit."""
    if value.shape == wanted:
        return value
    if value.ndim == 4 and tuple(value.shape[i] for i in (0, 3, 1, 2)) == wanted:
        return value.transpose(0, 3, 1, 2)
    if value.size == np.prod(wanted) and [extent for extent in value.shape if extent != 1] == [
            extent for extent in wanted if extent != 1]:
        return value.reshape(wanted)
    raise ContenderError(f"an output has shape {value.shape}, expected {wanted}")


def largest_error(values: list[np.ndarray], reference: list[np.ndarray],
                  tolerance: float) -> float:
    """The greatest relative error of any output; ContenderError when it is above `tolerance`."""
    if len(values) != len(reference):
        raise ContenderError(f"{len(values)} outputs, expected {len(reference)}")
    error = max(harness.relative_error(_in_order_of(value, wanted.shape), wanted)
                for value, wanted in zip(values, reference))
    if not error <= tolerance:
        raise ContenderError(f"values differ by {error:.1e} of the largest, allowed {tolerance:g}")
    return error
