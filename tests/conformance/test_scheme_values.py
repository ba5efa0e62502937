"""Networks in every scheme hold the same values by layers, through the modelled memory, and PE by PE (scheme_values.py compares others)."""

import json

import pytest
from scheme_values import KINDS, WIDTHS, all_schemes, compare_scheme


def weights(*shape):
    """Seeded by their place: channels of different spread, groups in them too."""
    count = 1
    for size in shape:
        count *= size
    depth = count // shape[0]
    return {"shape": list(shape), "type": "float32",
            "values": [((i * 7919) % 211 - 104) / 400 * (1 + i // depth % 3) * (1 + i // 16 % 5) for i in range(count)]}


NETWORK = {
    "name": "small", "semantics": "onnx",
    "inputs": [{"name": "x", "shape": [1, 5, 5, 3], "type": "float32"}],
    "layers": [
        {"op": "conv2d", "name": "stem", "input": "x", "weights": weights(32, 3, 3, 3), "padding": "same", "stride": 2, "activation": "relu"},
        {"op": "depthwise_conv2d", "name": "depthwise", "input": "stem", "weights": weights(32, 3, 3, 1), "padding": "same"},
        {"op": "conv2d", "name": "pointwise", "input": "depthwise", "weights": weights(32, 1, 1, 32)},
        {"op": "add", "name": "add", "inputs": ["stem", "pointwise"], "activation": "relu"},
        {"op": "conv2d", "name": "body", "input": "add", "weights": weights(16, 2, 2, 32)},
        {"op": "reshape", "name": "flat", "input": "body", "shape": [1, 64]},
        {"op": "fully_connected", "name": "last", "input": "flat", "weights": weights(10, 64)}],
    "outputs": ["last"]}


@pytest.fixture(name="network", scope="module")
def fixture_network(tmp_path_factory):
    path = tmp_path_factory.mktemp("network") / "small.json"
    path.write_text(json.dumps(NETWORK))
    return path


@pytest.mark.parametrize("scheme", [f"{WIDTHS[i % len(WIDTHS)]}:{kind}".removesuffix(":") for i, kind in enumerate(KINDS)] + ["w4a8:weights=per_group(32)"])
def test_a_scheme_holds_the_same_values_however_they_are_computed(network, tmp_path, scheme):
    assert scheme in all_schemes()
    assert compare_scheme(network, [], scheme, tmp_path) >= len(NETWORK["layers"])
