"""When float tensors agree."""

import numpy as np

# Of the greatest magnitude of the tensor: runtimes sum in orders of their own.
TOLERANCE = 1e-4


def assert_close(name, found, wanted):
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape), name
    if wanted.size == 0:
        return
    assert np.isfinite(wanted).all(), f"{name}: the reference is not finite"
    scale = max(float(np.abs(wanted).max()), 1e-30)
    error = float(np.abs(found.astype(np.float64) - wanted).max()) / scale
    assert error <= TOLERANCE, f"{name}: {error:.2e} of its greatest magnitude {scale}"


def assert_close_tensors(actual, expected):
    """The same tensors by name, each close."""
    assert set(actual) == set(expected)
    for name, wanted in expected.items():
        assert_close(name, actual[name], wanted)
