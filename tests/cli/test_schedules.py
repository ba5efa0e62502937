"""Schedules that a good hand finds: single layers against bounds that are worked out by hand.

Bytes: each tensor once, or as often as an exhaustive search over buffers, slots and accumulators says (docs/mapping_bench.md).
Cycles: MACs / PEs or bytes / bandwidth, whichever is more, and what a cold start costs.
"""

import json

import pytest
from qsim_process import qsim

NPU_BYTES_PER_CYCLE = 12.8
NPU_PES = 32 * 32


def product(pixels, depth, outputs, relu=False):
    """pixels x depth times depth x outputs, 9 bytes of parameters an output."""
    layers = [{"op": "relu", "name": "r", "input": "x"}] if relu else []
    layers.append({"op": "fully_connected", "name": "y", "input": "r" if relu else "x",
                   "weights": {"shape": [outputs, depth], "scale": 0.01, "axis": 0}, "bias": True,
                   "output": {"scale": 0.05, "zero_point": 0}})
    return {"name": "product", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": [pixels, depth], "scale": 0.02, "zero_point": 0}],
            "layers": layers, "outputs": ["y"]}


def cost(tmp_path, workload, *arguments):
    """The report of a run without values; the workload is a network or a name."""
    if isinstance(workload, dict):
        path = tmp_path / "workload.json"
        path.write_text(json.dumps(workload))
        workload = str(path)
    result = qsim("--workload", workload, "--cost-only", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def sets(**fields):
    """--set for each field; two underscores stand for a point."""
    return [word for field, value in fields.items() for word in ("--set", f"{field.replace('__', '.')}={value}")]


@pytest.mark.parametrize("hardware, pixels, least", [
    # Everything once: 24 MiB hold the input.
    ("tpu_v1", 1024, 1024 * 4096 + 4096 * 4096 + 1024 * 4096 + 9 * 4096),
    ("npu", 64, 64 * 4096 + 4096 * 4096 + 64 * 4096 + 9 * 4096)])
def test_a_layer_in_front_makes_no_product_faster(tmp_path, hardware, pixels, least):
    alone = cost(tmp_path, product(pixels, 4096, 4096), "--hw", hardware)["totals"]
    behind = cost(tmp_path, product(pixels, 4096, 4096, relu=True), "--hw", hardware)["totals"]
    # Both move the same bytes and wait for them; a thousandth is how long the first of them take.
    assert alone["cycles"] <= 1.001 * behind["cycles"]
    assert alone["dram_bytes"] <= 1.001 * least
    assert behind["dram_bytes"] <= 1.001 * least


@pytest.mark.parametrize("pixels, depth, outputs, least", [
    (512, 3584, 1024, 22_562_816), (512, 3616, 1024, 22_759_424), (128, 4096, 4096, 25_726_976),
    (32, 4096, 4096, 17_076_224), (128, 3072, 768, 2_857_728)])
def test_a_product_takes_the_least_traffic_and_about_the_bound(tmp_path, pixels, depth, outputs, least):
    totals = cost(tmp_path, product(pixels, depth, outputs))["totals"]
    assert totals["dram_bytes"] <= 1.03 * least
    bound = max(pixels * depth * outputs / NPU_PES, least / NPU_BYTES_PER_CYCLE)
    assert totals["cycles"] <= 1.10 * bound + 256 * 1024 / NPU_BYTES_PER_CYCLE + 2000


def test_rows_that_are_no_whole_bursts_cost_little_more(tmp_path):
    # 0.9 % more MACs, half a burst a row; the last part of 32 channels is too short for the loads behind it.
    cycles = {depth: cost(tmp_path, product(512, depth, 1024))["totals"]["cycles"] for depth in (3584, 3616)}
    assert cycles[3616] <= 1.02 * cycles[3584]


def test_tiles_whose_sums_wait_are_as_large_as_the_accumulators_allow(tmp_path):
    # 3x3 on 4 x 5 x 33 to 29. Half of 16 entries hold the sums of 8 pixels, so that 20 pixels take three tiles, each with all weights once;
    # whole rows of 5 would take four.
    network = {"name": "convolution", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
               "inputs": [{"name": "x", "shape": [1, 4, 5, 33], "scale": 0.02, "zero_point": 0}],
               "layers": [{"op": "conv2d", "name": "y", "input": "x", "weights": {"shape": [29, 3, 3, 33], "scale": 0.01, "axis": 0},
                           "bias": True, "padding": 1, "output": {"scale": 0.05, "zero_point": 0}}], "outputs": ["y"]}
    chip = sets(mac_array__rows=16, weight_buffer__capacity_kib=8, weight_buffer__banks=1, activation_buffer__capacity_kib=8,
                activation_buffer__banks=1, accumulators__entries=16, dram__bandwidth_gb_per_s=1)
    totals = cost(tmp_path, network, *chip)["totals"]
    assert totals["dram_bytes"] <= 3 * 29 * 9 * 33 + 9 * 29 + 4 * 5 * (33 + 29)


def convolution(size, inputs, outputs):
    """3x3 on size x size pixels."""
    return {"name": "convolution", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
            "inputs": [{"name": "x", "shape": [1, size, size, inputs], "scale": 0.02, "zero_point": 0}],
            "layers": [{"op": "conv2d", "name": "y", "input": "x", "weights": {"shape": [outputs, 3, 3, inputs], "scale": 0.01, "axis": 0},
                        "bias": True, "padding": 1, "output": {"scale": 0.05, "zero_point": 0}}], "outputs": ["y"]}


@pytest.mark.parametrize("size, inputs, outputs, least", [(112, 64, 128, 2_512_256), (112, 128, 128, 3_476_096)])
def test_tiles_of_windows_are_boxes_that_share_few_pixels(tmp_path, size, inputs, outputs, least):
    # Tiles as wide as the tensor have at most 4 rows beside two slots of each, and read 2 rows twice a tile: 1.14 and 1.19 x the least.
    network = convolution(size, inputs, outputs)
    array = size * size * 9 * inputs * outputs / NPU_PES
    fastest = cost(tmp_path, network)["totals"]
    assert fastest["dram_bytes"] <= 1.10 * least
    assert fastest["cycles"] <= 1.01 * array
    assert cost(tmp_path, network, "--objective", "energy")["totals"]["dram_bytes"] <= 1.03 * least


def test_one_slot_leaves_room_where_bytes_cost_more_than_time(tmp_path):
    # Four heads of 2,048 x 128 by 128 x 2,048: a head's queries are half of the buffer, so two slots hold a part of them only and keys come
    # as often as there are parts.
    network = {"name": "scores", "semantics": "tflite", "tensors": {"generator": "normal", "seed": 1},
               "inputs": [{"name": "q", "shape": [1, 4, 2048, 128], "scale": 0.02, "zero_point": 0},
                          {"name": "k", "shape": [1, 4, 2048, 128], "scale": 0.02, "zero_point": 0}],
               "layers": [{"op": "matmul", "name": "s", "inputs": ["q", "k"], "transpose_b": True,
                           "output": {"scale": 0.05, "zero_point": 0}}], "outputs": ["s"]}
    once = 4 * (2 * 2048 * 128 + 2048 * 2048)
    totals = cost(tmp_path, network, "--objective", "energy")["totals"]
    assert totals["dram_bytes"] <= 1.01 * once
    assert totals["cycles"] <= 1.10 * 4 * 2048 * 2048 * 128 / NPU_PES


def test_accumulators_beyond_need_cost_nothing(tmp_path):
    chip = sets(mac_array__rows=27, mac_array__columns=256, activation_buffer__capacity_kib=32,
                dram__bandwidth_gb_per_s=0.1, dram__burst_bytes=32)
    cycles = [cost(tmp_path, product(33, 64, 31), *chip, *sets(accumulators__entries=entries))["totals"]["cycles"]
              for entries in (64, 65, 66, 2048)]
    assert max(cycles) <= 55_468
    assert cycles == sorted(cycles, reverse=True)


def test_columns_beyond_need_cost_no_more_than_their_skew(tmp_path):
    # MobileNet's 7 x 7 x 1024 to 1024, 1 x 1: 1,153,104 bytes once.
    path = tmp_path / "pointwise.csv"
    path.write_text("L,ih,iw,fh,fw,c,nf,s\npw27,7,7,1,1,1024,1024,1\n")
    for columns in (32, 64, 128, 256):
        totals = cost(tmp_path, str(path), *sets(mac_array__columns=columns))["totals"]
        assert totals["cycles"] <= 93_534
        assert totals["dram_bytes"] <= 1_153_104


def test_weights_stay_as_far_as_the_buffer_goes(tmp_path):
    # ResNet-18 has 11.73 MB of weights and parameters; 11,264 KiB are 11.53 MB, less two slots.
    steady = cost(tmp_path, "resnet18", "--hw", "npu_large", "--inferences", "3",
                  *sets(weight_buffer__capacity_kib=11264, weight_buffer__banks=16))["steady_state"]
    assert steady["dram_bytes"] <= 2_200_000


@pytest.mark.parametrize("gb_per_s, saved", [(12.8, 0.0), (3.2, 0.15)])
def test_chains_keep_what_lies_between_layers_on_the_chip(tmp_path, gb_per_s, saved):
    # MobileNetV2: 5.59 MB of activations row by row. With the memory at a quarter of its speed that is 15 % of the cycles at least.
    runs = {fuses: cost(tmp_path, "mobilenet_v2", *sets(mapper__fuses_chains=fuses, dram__bandwidth_gb_per_s=gb_per_s))
            for fuses in ("false", "true")}

    def activations(report):
        traffic = report["traffic_bytes"]
        return traffic["dram_read_activations"] + traffic["dram_write_activations"]

    assert activations(runs["true"]) <= 0.6 * activations(runs["false"])
    assert runs["true"]["totals"]["cycles"] <= (1 - saved) * runs["false"]["totals"]["cycles"]
    assert runs["true"]["totals"]["macs"] == runs["false"]["totals"]["macs"]
    # Image and probabilities are compulsory.
    assert activations(runs["true"]) >= 224 * 224 * 3 + 1000


def test_chains_of_a_report_are_read_back(tmp_path):
    arguments = ("--set", "mapper.fuses_chains=true")
    first = cost(tmp_path, "mobilenet_v2", *arguments)
    path = tmp_path / "report.json"
    path.write_text(json.dumps(first))
    again = cost(tmp_path, "mobilenet_v2", *arguments, "--mapping", str(path))
    assert any("fused_with" in layer["mapping"] for layer in first["layers"])
    assert [layer["mapping"] for layer in again["layers"]] == [layer["mapping"] for layer in first["layers"]]
    assert again["totals"] == first["totals"]


@pytest.mark.parametrize("network, batch, inferences, megabytes", [("bert_base_layer", 4, 926, 9.07), ("resnet50", 2, 165, 53.6)])
def test_a_batch_lowers_no_throughput_and_moves_no_more(tmp_path, network, batch, inferences, megabytes):
    """A second's inferences and an inference's bytes of the batch of one that a schedule by hand had."""
    totals = cost(tmp_path, network, "--batch", str(batch))["totals"]
    assert batch * 1e9 / totals["cycles"] >= inferences
    assert totals["dram_bytes"] <= batch * megabytes * 1e6
