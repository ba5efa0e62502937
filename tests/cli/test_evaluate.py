"""`qsim evaluate`: a labelled data set through the chip."""

import csv
import json
import os
import pathlib
import pty
import signal
import subprocess
import time

import jsonschema
import numpy as np
import pytest
from PIL import Image
from qsim_process import QSIM, ROOT, bad_input, qsim

RECORD = 1 + 3 * 32 * 32


def write_cifar(path, images, seed=1):
    """Seeded pixels with labels 0, 1, .. 9, 0, .."""
    random = np.random.default_rng(seed)
    records = random.integers(0, 256, (images, RECORD), np.uint8)
    records[:, 0] = np.arange(images) % 10
    path.write_bytes(records.tobytes())
    return records


@pytest.fixture(name="data")
def fixture_data(tmp_path):
    """resnet8's input is a pixel / 255."""
    write_cifar(tmp_path / "images.bin", 60)
    (tmp_path / "unit.json").write_text('{"unit_scale": true}')
    return tmp_path


def arguments(folder, *further):
    return ["evaluate", "--workload", "resnet8", "--data", f"cifar10:{folder / 'images.bin'}", "--preprocess",
            folder / "unit.json", *further]


def evaluated(folder, *further):
    run = qsim(*arguments(folder, "--json", *further))
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def predictions(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_has_the_contract_s_keys_and_fits_its_schema(data):
    report = evaluated(data)
    assert report["images"] == 60 and report["failed"] == 0
    for key in ("top1", "top5"):
        assert set(report[key]) == {"correct", "percent", "low", "high"}
        assert report[key]["low"] <= report[key]["percent"] <= report[key]["high"]
        assert report[key]["percent"] == pytest.approx(100 * report[key]["correct"] / 60)
    jsonschema.validate(report, json.loads((ROOT / "configs/schemas/evaluate.schema.json").read_text()))
    assert str(data) not in json.dumps(report)


def test_totals_are_those_of_one_inference(data):
    run = qsim("--workload", "resnet8", "--json", "--cost-only")
    assert evaluated(data)["totals"] == json.loads(run.stdout)["totals"]


def test_one_process_and_two_give_the_same_bytes(data):
    written = {}
    for jobs in (1, 2, 5):
        files = [data / f"{jobs}.{kind}" for kind in ("json", "csv", "npy")]
        run = qsim(*arguments(data, "--jobs", jobs, "--report", files[0], "--predictions", files[1], "--dump-inputs", files[2]))
        assert run.returncode == 0, run.stderr
        written[jobs] = [run.stdout, *(file.read_bytes() for file in files)]
    assert written[1] == written[2] == written[5]


def test_each_image_gives_what_a_run_of_its_own_gives(data):
    assert qsim(*arguments(data, "--predictions", data / "p.csv", "--dump-inputs", data / "in.npy")).returncode == 0
    rows, inputs = predictions(data / "p.csv"), np.load(data / "in.npy")
    pixels = write_cifar(data / "again.bin", 60)[:, 1:].reshape(60, 3, 32, 32).transpose(0, 2, 3, 1)
    assert (inputs == pixels.astype(np.int16) - 128).all()  # scale 1/255, zero point -128
    for index in (0, 17, 59):
        np.save(data / "one.npy", inputs[index:index + 1])
        run = qsim("--workload", "resnet8", "--input", data / "one.npy", "--outputs", data / "out.safetensors", "--quiet")
        assert run.returncode == 0, run.stderr
        content = (data / "out.safetensors").read_bytes()
        scores = np.frombuffer(content[-10:], np.int8)
        assert int(rows[index]["top1"]) == int(np.argmax(scores))
        assert [int(c) for c in rows[index]["top5"].split()] == np.argsort(-scores.astype(int), kind="stable")[:5].tolist()
        assert int(rows[index]["label"]) == index % 10


def test_the_csv_and_the_report_count_the_same(data):
    report = evaluated(data, "--predictions", data / "p.csv")
    rows = predictions(data / "p.csv")
    assert [int(row["index"]) for row in rows] == list(range(60))
    for top in ("top1", "top5"):
        assert sum(int(row[f"{top}_correct"]) for row in rows) == report[top]["correct"]
    assert sum(row["label"] == row["top1"] for row in rows) == report["top1"]["correct"]


def test_a_limit_takes_images_from_the_whole_set(data):
    report = evaluated(data, "--limit", 6, "--predictions", data / "p.csv")
    assert report["images"] == 6
    assert [row["index"] for row in predictions(data / "p.csv")] == ["0", "10", "20", "30", "40", "50"]


def test_bits_and_fields_of_the_chip_change_the_answer(data):
    narrow = evaluated(data, "--weight-bits", 4)
    assert narrow["options"]["weight_bits"] == 4
    assert narrow["totals"]["energy_total_pj"] < evaluated(data)["totals"]["energy_total_pj"]
    run = qsim(*arguments(data, "--set", "accumulators.width_bits=16", "--set", "accumulators.overflow=trap"))
    assert run.returncode == 1 and "overflows of 16-bit accumulators" in run.stderr


def image_folder(tmp_path, broken=()):
    """Six 32x32 pictures as JPEG, with labels; those in `broken` are cut short."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = ["file,label"]
    for i in range(6):
        path = folder / f"p{i}.jpg"
        pixels = np.random.default_rng(i).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(path, quality=95)
        if i in broken:
            path.write_bytes(path.read_bytes()[:400])
        lines.append(f"{path.name},{i}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "unit.json").write_text('{"unit_scale": true}')
    return folder


def folder_arguments(tmp_path, folder, *further):
    return ["evaluate", "--workload", "resnet8", "--data", f"images:{folder}", "--preprocess", tmp_path / "unit.json", *further]


def test_a_corrupt_image_is_named_counted_and_left_out(tmp_path):
    folder = image_folder(tmp_path, broken=(1, 4))
    run = qsim(*folder_arguments(tmp_path, folder, "--json", "--predictions", tmp_path / "p.csv"))
    assert run.returncode == 0
    report = json.loads(run.stdout)
    assert (report["images"], report["failed"]) == (4, 2)
    assert [failure["name"] for failure in report["failures"]] == ["p1.jpg", "p4.jpg"]
    assert len(run.stderr.splitlines()) == 2 and "p1.jpg" in run.stderr and "p4.jpg" in run.stderr
    rows = predictions(tmp_path / "p.csv")
    assert rows[1]["top1"] == "" and "p1.jpg" in rows[1]["problem"] and rows[0]["problem"] == ""


def test_strict_ends_at_the_first_corrupt_image_and_writes_nothing(tmp_path):
    folder = image_folder(tmp_path, broken=(1, 4))
    for jobs in (1, 2):
        target = tmp_path / "report.json"
        (message,) = bad_input(*folder_arguments(tmp_path, folder, "--strict", "--jobs", jobs, "--report", target))
        message.says("p1.jpg")
        assert not target.exists()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def children_of(process):
    path = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return path.read_text().split() if path.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_says_how_far_it_came_and_leaves_nothing(data, number):
    write_cifar(data / "images.bin", 50_000)
    outputs = [data / "out" / name for name in ("r.json", "p.csv", "in.npy")]
    outputs[0].parent.mkdir()
    command = [QSIM, *map(str, arguments(data, "--report", outputs[0], "--predictions", outputs[1], "--dump-inputs", outputs[2]))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        wait_for(lambda: len(children_of(run)) > 0)
        workers = children_of(run)
        time.sleep(0.5)
        run.send_signal(number)
        out, err = run.communicate(timeout=20)
    assert run.returncode == 128 + number
    assert out == "" and "interrupted" in err and "of 50000 images; nothing was written" in err
    assert int(err.split(" after ")[1].split()[0]) > 0
    assert list(outputs[0].parent.iterdir()) == []
    assert not any(pathlib.Path(f"/proc/{worker}").exists() for worker in workers)


def test_a_terminal_gets_a_progress_bar_and_a_pipe_none(data):
    write_cifar(data / "images.bin", 2_000)
    assert qsim(*arguments(data)).stderr == ""
    primary, secondary = pty.openpty()
    with subprocess.Popen([QSIM, *map(str, arguments(data))], stdout=subprocess.DEVNULL, stderr=secondary) as run:
        os.close(secondary)
        shown = b""
        while True:
            try:
                piece = os.read(primary, 4096)
            except OSError:  # The other end is closed.
                break
            if not piece:
                break
            shown += piece
    os.close(primary)
    assert run.returncode == 0
    assert b"of 2000 images" in shown and b"#" in shown and shown.endswith(b"\r\x1b[K")


BAD = {
    "no data": (["--workload", "resnet8"], ["--data", "got nothing"]),
    "no such format": (["--data", "mnist:x"], ["mnist", "cifar10"]),
    "no such file": (["--data", "cifar10:missing.bin"], ["missing.bin"]),
    "a process too few": (["--jobs", "0"], ["--jobs", '"0"', "1 to 1024"]),
    "no such output": (["--output", "logitz"], ["--output", "logitz", "probabilities"]),
    "labels beyond the classes": (["--label-offset", "1"], ["label", "9", "--label-offset"]),
    "a folder for a file": (["--predictions", "."], ["--predictions", "a folder"]),
    "no preprocessing of that name": (["--preprocess", "nothing_ships"], ["nothing_ships"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_named(case, data):
    further, words = BAD[case]
    command = {"--workload": "resnet8", "--data": f"cifar10:{data / 'images.bin'}", "--preprocess": data / "unit.json"}
    if case == "no data":
        del command["--data"]
    command.update(zip(further[::2], further[1::2]))
    bad_input("evaluate", *[word for pair in command.items() for word in pair])[0].says(*words)


def test_a_network_of_another_size_names_the_remedy(data):
    (message, *_) = bad_input("evaluate", "--workload", "resnet18", "--data", f"cifar10:{data / 'images.bin'}", "--limit", "3")
    message.says("images.bin#0", "32x32", "--preprocess")
