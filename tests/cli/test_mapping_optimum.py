"""bench/best_mapping.py and bench/mapping_optimum.py: the least traffic of layers, qsim's rows against it."""

import csv
import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest
from qsim_process import QSIM, ROOT

sys.path.insert(0, str(ROOT / "bench"))
import best_mapping  # noqa: E402  pylint: disable=wrong-import-position
from mapping_layer import Layer, Machine, read_hardware  # noqa: E402  pylint: disable=wrong-import-position
from mapping_rows import EXAMPLES, networks, problem  # noqa: E402  pylint: disable=wrong-import-position

NPU = Machine.of(read_hardware(ROOT / "configs" / "npu.json"))
# Found by another search over the same buffers, slots and accumulators, and by hand:
#   2048 x 4096 x 4096: weights 8 times, input 32 times; 128 x 4096 x 4096: weights once, input 16 times;
#   512 x 3584 x 1024: weights twice, input 8 times; the others read everything once.
LEAST = {
    "product_2048x4096x4096": 411_336_704,
    "product_128x4096x4096": 25_726_976,
    "product_32x4096x4096": 17_076_224,
    "bert_ffn2_128x3072x768": 2_857_728,
    "resnet50_1x1_stride2_256_512": 737_792,
    "resnet50_3x3_512_7x7": 2_414_080,
}


def layer(**sizes):
    return Layer(**{"rows": 1, "columns": 1, **sizes})


@pytest.mark.parametrize("name", LEAST)
def test_the_least_traffic_is_that_of_another_search(name):
    assert best_mapping.best_mapping(layer(**EXAMPLES[name]), NPU).dram_bytes == LEAST[name]


@pytest.mark.parametrize("depth, least", [(3584, 22_562_816), (3616, 22_759_424)])
def test_a_longer_reduction_costs_its_own_bytes(depth, least):
    assert best_mapping.best_mapping(layer(rows=512, channels=depth, outputs=1024), NPU).dram_bytes == least


def test_a_window_that_moves_reads_its_overlap_again():
    """A column of 4,000 sums over three rows of 2,048 channels: two slots hold 125 rows of whole reductions, but 1,024 sums lie in the
    accumulators while parts of the channels pass, so four tiles do, each but the last with two rows of the next. The weights stay."""
    column = layer(rows=4002, channels=2048, outputs=16, kernel=(3, 1))
    assert best_mapping.best_mapping(column, NPU).dram_bytes == (4002 + 3 * 2) * 2048 + 3 * 2048 * 16 + 9 * 16 + 4000 * 16


def test_groups_read_their_own_channels_once():
    depthwise = layer(rows=14, columns=14, channels=384, outputs=384, kernel=(3, 3), pad=(1, 1, 1, 1), groups=384)
    assert best_mapping.best_mapping(depthwise, NPU).dram_bytes == depthwise.compulsory_bytes == 2 * 14 * 14 * 384 + 18 * 384
    # 27 of 32 rows: three groups side by side, 128 passes of 196 pixels.
    assert best_mapping.array_cycles(depthwise, NPU) == 128 * 196


def test_few_pixels_wait_for_the_next_weights():
    assert best_mapping.array_cycles(layer(channels=4096, outputs=4096), NPU) == 128 * 128 * 32


def test_networks_have_the_macs_they_are_known_for():
    macs = {name: sum(row[1].macs * row[3] for row in networks()[name]()) for name in ("resnet50", "vgg16", "decoder_7b_decode_512")}
    assert macs == {"resnet50": 4_089_184_256, "vgg16": 15_470_264_320,
                    "decoder_7b_decode_512": 4 * 4096**2 + 3 * 4096 * 11008 + 2 * 512 * 4096}


def test_padding_is_given_from_top_to_right():
    entry = {"op": "conv2d", "weights": {"shape": [8, 2, 3, 4], "axis": 0}, "padding": [1, 0, 2, 1]}
    image = problem(entry, [[1, 5, 6, 4]])
    assert image.pad == (1, 2, 0, 1) and (image.output_size(0), image.output_size(1)) == (5, 7)


def bench(name, *arguments):
    return subprocess.run([sys.executable, "-B", ROOT / "bench" / f"{name}.py", *map(str, arguments)],
                          capture_output=True, text=True, check=False, env={**os.environ, "QSIM_BINARY": QSIM})


def optimum(*arguments):
    return bench("mapping_optimum", *arguments)


def test_rows_are_compared_and_what_is_beyond_needs_a_reason(tmp_path):
    listed = tmp_path / "exceptions.json"
    listed.write_text("[]")
    run = optimum("decoder_7b_decode_16", "--csv", tmp_path / "rows.csv", "--exceptions", listed)
    with open(tmp_path / "rows.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["layer"] for row in rows] == ["query", "scores", "context", "ffn.gate", "ffn.down"]
    assert all(int(row["cycles_qsim"]) >= int(row["cycles_bound"]) for row in rows)
    beyond = [(row["layer"], of) for row in rows for of in row["exception"].split()]
    assert run.returncode == (1 if beyond else 0), run.stdout + run.stderr
    listed.write_text(json.dumps([{"row": f"decoder*/{layer}", "of": of, "reason": "for the test"} for layer, of in beyond]))
    assert optimum("decoder_7b_decode_16", "--exceptions", listed).returncode == 0


def test_a_reason_that_no_row_needs_is_wrong(tmp_path):
    listed = tmp_path / "exceptions.json"
    # One query of 4,096 features: weights once, nothing else to choose.
    listed.write_text(json.dumps([{"row": "decoder_7b_decode_16/query", "of": "dram", "reason": "for the test"}]))
    run = optimum("decoder_7b_decode_16", "--exceptions", listed)
    assert run.returncode == 1 and "no longer needed: decoder_7b_decode_16/query dram" in run.stdout
    # Of other rows, and for another objective, nothing is known.
    listed.write_text(json.dumps([{"row": "vgg16/*", "of": "dram", "reason": "for the test"},
                                  {"row": "*/query", "of": "dram", "reason": "for the test", "objective": "energy"}]))
    assert "no longer needed" not in optimum("decoder_7b_decode_16", "--exceptions", listed).stdout


def test_parameters_take_room_beside_weights_that_are_activations():
    """2,048 x 128 bytes fill a buffer of 256 KiB to the last; with 9 bytes of parameters they are in two parts."""
    product = layer(rows=2048, channels=2048, outputs=128, matrices=2, channel_bytes=4, header_bytes=5)
    once = product.compulsory_bytes
    assert best_mapping.best_mapping(product, NPU).dram_bytes > once
    roomier = dataclasses.replace(NPU, weight_capacity=NPU.weight_capacity + 1024)
    assert best_mapping.best_mapping(product, roomier).dram_bytes == once


@pytest.mark.parametrize("text", ["{", '[{"row": "a/b", "of": "dram"}]', '[{"row": "a/b", "of": "time", "reason": "x"}]'])
def test_a_bad_list_of_exceptions_is_refused(text, tmp_path):
    (tmp_path / "bad.json").write_text(text)
    run = optimum("examples", "--exceptions", tmp_path / "bad.json")
    assert run.returncode == 2 and "bad.json" in run.stderr


def test_every_mapping_of_a_small_layer_is_simulated():
    run = bench("exhaustive_mappings", "--layers", 1, "--seed", 622, "--mappings", 300)
    assert run.returncode in (0, 1), run.stderr
    lines = [line for line in run.stdout.splitlines() if not line.startswith("     ")]
    assert len(lines) == 6 and [line.split()[2] for line in lines[:3]] == ["latency", "energy", "edp"]
    for line, total in zip(lines[:3], lines[3:]):
        own, best, ratio, ran, mappings = re.search(r"(\d+) / +(\d+) = ([\d.]+)  (\d+) of (\d+) mappings ran", line).groups()
        assert int(own) >= int(best) and float(ratio) == pytest.approx(int(own) / int(best), abs=1e-3)
        assert int(ran) <= int(mappings) <= 300
        assert f" beyond_1.03={int(float(ratio) > 1.03)} max_ratio={ratio}" in total
