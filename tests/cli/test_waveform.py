"""--vcd: what the PEs hold, in the form of IEEE 1364-2005, clause 18: declarations, then "#time" and what changes there."""

import itertools
import json
import subprocess

import numpy as np
import pytest
from qsim_process import QSIM, WORKLOAD, qsim

SIZES = ("--set", "mac_array.rows=4", "--set", "mac_array.columns=3")


def changes_of(path):
    """{"scope.name": [(time, bits), ..]} of a file."""
    names, values, scope, time = {}, {}, "", -1
    for line in path.read_text().splitlines():
        words = line.split()
        if words[0] == "$scope":
            scope = words[2]
        elif words[0] == "$var":
            names[words[3]] = f"{scope}.{words[4]}"
            values[names[words[3]]] = []
        elif line[0] == "#":
            time = int(line[1:])
        elif line[0] == "b":
            values[names[words[1]]].append((time, words[0][1:]))
        elif line[0] in "01z":
            values[names[line[1:]]].append((time, line[0]))
    return values


def numbers(changes, bits):
    """The values of a signal, two's complement, without the gaps between them."""
    values = [int(value, 2) for _, value in changes if value != "z"]
    return [value - (1 << bits) if value >> (bits - 1) else value for value in values]


def without_repeats(values):
    return [int(value) for value, _ in itertools.groupby(values)]


def test_a_waveform_shows_the_cycles_of_its_window(tmp_path):
    path = tmp_path / "pes.vcd"
    run = qsim("--workload", WORKLOAD, "--fidelity", "pe", *SIZES, "--vcd", path, "--vcd-cycles", "2000:2600", "--json")
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    lines = path.read_text().splitlines()
    signals = [line.split() for line in lines if line.startswith("$var")]
    assert len({signal[3] for signal in signals}) == len(signals) == 6 + 4 * 3 * 3
    times = [int(line[1:]) for line in lines if line.startswith("#")]
    assert times == sorted(set(times)) and 2000 <= times[0] and times[-1] <= 2600 and len(times) > 300
    changes = [line for line in lines[lines.index("$enddefinitions $end") + 1:] if line[0] != "#"]
    codes = {line.split()[1] if line[0] == "b" else line[1:] for line in changes}
    assert codes <= {signal[3] for signal in signals}
    tile = json.loads(qsim("--workload", WORKLOAD, *SIZES, "--values", "tile", "--json").stdout)
    pe = json.loads(run.stdout)
    assert pe["options"].pop("fidelity") == "pe" and tile["options"].pop("fidelity") == "tile"
    assert pe == tile


def test_pes_show_the_operands_and_the_sums_of_the_network_s_own_values(tmp_path):
    """Ten rows of four inputs stream through 4x3 PEs that keep a matrix of 3x4 weights."""
    random = np.random.default_rng(5)
    inputs = random.integers(-128, 128, (10, 4), dtype=np.int8)
    weights = random.integers(-127, 128, (3, 4), dtype=np.int8)
    header = json.dumps({"y.weights": {"dtype": "I8", "shape": [3, 4], "data_offsets": [0, 12]}}).encode()
    (tmp_path / "w.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + weights.tobytes())
    np.save(tmp_path / "x.npy", inputs)
    (tmp_path / "net.json").write_text(json.dumps({
        "name": "n", "semantics": "tflite", "tensors": "w.safetensors", "inputs": [{"name": "x", "shape": [10, 4], "scale": 1}],
        "layers": [{"op": "fully_connected", "name": "y", "input": "x", "weights": {"shape": [3, 4], "scale": 1},
                    "output": {"scale": 500}}], "outputs": ["y"]}))
    run = qsim("--workload", tmp_path / "net.json", "--input", tmp_path / "x.npy", "--fidelity", "pe", *SIZES,
               "--vcd", tmp_path / "pes.vcd", "--quiet")
    assert run.returncode == 0, run.stderr
    signals = changes_of(tmp_path / "pes.vcd")
    sums = inputs.astype(np.int64) @ weights.astype(np.int64).T
    for row, column in itertools.product(range(4), range(3)):
        pe = f"pe_{row}_{column}"
        assert numbers(signals[f"{pe}.kept"], 17) == [weights[column, row]]
        assert numbers(signals[f"{pe}.operand"], 17) == without_repeats(inputs[:, row])
        if row == 3:
            assert numbers(signals[f"{pe}.partial_sum"], 64) == without_repeats(sums[:, column])


def test_a_window_after_the_end_is_noted(tmp_path):
    arguments = ("--workload", WORKLOAD, "--fidelity", "pe", "--quiet", "--vcd", tmp_path / "pes.vcd")
    run = qsim(*arguments, "--vcd-cycles", "999999990:999999999")
    assert run.returncode == 0, run.stderr
    assert "note" in run.stderr and "999999990" in run.stderr and "the run ends at" in run.stderr
    assert not any(changes_of(tmp_path / "pes.vcd").values())


@pytest.mark.parametrize("arguments, words", [
    (("--vcd", "x.vcd"), "add --fidelity pe"),
    (("--fidelity", "pe", "--vcd", "x.vcd", "--vcd-cycles", "7:7"), "FROM:TO"),
    (("--fidelity", "pe", "--vcd", "x.vcd", "--vcd-cycles", "-1:7"), "FROM:TO"),
    (("--fidelity", "pe", "--vcd-cycles", "1:7"), "add --vcd, or drop it"),
    (("--fidelity", "pe", "--vcd", "x.vcd", "--values", "layer"), "no --values beside it"),
    (("--fidelity", "pe", "--vcd", "x.vcd", "--cost-only"), "no --cost-only beside it"),
])
def test_a_waveform_that_cannot_be_is_refused(arguments, words, tmp_path):
    run = qsim("--workload", WORKLOAD, *arguments, cwd=tmp_path)
    assert run.returncode == 2 and words in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_neither_the_waveform_nor_a_part(tmp_path):
    arguments = ["--workload", WORKLOAD, "--fidelity", "pe", "--quiet", "--vcd"]
    run = qsim(*arguments, "/dev/full")
    assert run.returncode == 2 and "No space left on device" in run.stderr
    script = 'ulimit -f 512; exec "$@"'  # blocks of 1024 bytes
    run = subprocess.run(["bash", "-c", script, "bash", QSIM, *arguments, str(tmp_path / "pes.vcd")], capture_output=True, text=True,
                         check=False, timeout=120)
    assert run.returncode == 2 and "File too large" in run.stderr
    assert list(tmp_path.iterdir()) == []
