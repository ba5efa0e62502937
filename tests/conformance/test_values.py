"""The trained networks give the same tensors whether they pass through the modelled memories or not."""

import numpy as np
import pytest
from qsim_tensors import assert_same_tensors, dump_tensors
from shared_data import data_path

MODELS = ("resnet8", "vww_mobilenet", "mobilenet_v2", "kws_dscnn", "ad_autoencoder")


@pytest.mark.parametrize("name", MODELS)
def test_tile_by_tile_equals_layer_by_layer(name, tmp_path):
    path = data_path(f"models/{name}_int8.tflite")
    by_layer = dump_tensors(path, [], tmp_path, "--values", "layer")
    by_tile = dump_tensors(path, [], tmp_path, "--values", "tile")
    assert_same_tensors(by_tile, by_layer)
    assert any(np.unique(tensor).size > 16 for tensor in by_tile.values())  # not all constant
