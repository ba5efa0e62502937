#!/usr/bin/env python3
"""What quantization schemes cost in accuracy (docs/schemes.md): runs `qsim evaluate` for each and prints the table in Markdown.

Of resnet8 all images of test_batch_even.bin, ranges from 256 images of data_batch_1.bin. Of efficientnet_lite0 the 500 photographs in the order of
numpy.random.RandomState(0).permutation(500): the first 100 give the ranges, the other 400 are judged. What is done is kept in a file, and is not run again.

Example: bench/scheme_accuracy.py resnet8 --data ../shared/data --results resnet8.jsonl"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
WIDTHS = ("w16a16", "w8a8", "w6a8", "w4a8", "w4a4", "w2a8")
KINDS = ("", "weights=per_tensor", "weights=asymmetric", "scales=power_of_two", "weights=per_group(32)", "weights=per_group(32),asymmetric")
RANGES = ("minmax", "mse")
CALIBRATION_PHOTOGRAPHS = 100


def arguments_of_resnet8(data, _):
    """Of evaluate."""
    images = data / "cifar10"
    return ["--workload", data / "models/resnet8_float.onnx", "--data", f"cifar10:{images / 'test_batch_even.bin'}",
            "--calibration", f"cifar10:{images / 'data_batch_1.bin'}"]


def arguments_of_efficientnet(data, folder):
    """Of evaluate; the tables of labels of both parts are written into the folder."""
    images = data / "imagenet_sample"
    with open(images / "labels.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    order = np.random.RandomState(0).permutation(len(rows))
    parts = {"calibrate": order[:CALIBRATION_PHOTOGRAPHS], "judge": order[CALIBRATION_PHOTOGRAPHS:]}
    for part, chosen in parts.items():
        with open(pathlib.Path(folder) / f"{part}.csv", "w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["file", "label"], extrasaction="ignore")
            table.writeheader()
            table.writerows(rows[index] for index in chosen)
    judge, calibrate = (f"images:{images},labels={pathlib.Path(folder) / f'{part}.csv'}" for part in ("judge", "calibrate"))
    return ["--workload", data / "models/efficientnet_lite0_float.onnx", "--preprocess", "efficientnet_lite0", "--data", judge,
            "--calibration", calibrate, "--calibration-inputs", str(CALIBRATION_PHOTOGRAPHS)]


NETWORKS = {"resnet8": arguments_of_resnet8, "efficientnet_lite0": arguments_of_efficientnet}


def scheme_of(width, kind):
    """One text."""
    return f"{width}:{kind}" if kind else width


def evaluate(arguments, fixed, scheme, ranges):
    """What one scheme gives: images, right ones, cycles and energy of an inference."""
    command = [arguments.qsim, "evaluate", *map(str, fixed), "--scheme", scheme, "--ranges", ranges, "--json"]
    if arguments.limit:
        command += ["--limit", str(arguments.limit)]
    if arguments.jobs:
        command += ["--jobs", str(arguments.jobs)]
    if scheme.startswith("w16"):
        command += ["--set", "accumulators.width_bits=48"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return {"error": run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit code {run.returncode}"}
    report = json.loads(run.stdout)
    return {"images": report["images"], "right": report["top1"]["correct"], "cycles": report["totals"]["cycles"],
            "energy_pj": report["totals"]["energy_total_pj"]}


def read_results(path):
    """{(network, limit, scheme, ranges): result} of a file of earlier runs."""
    if not path or not os.path.exists(path):
        return {}
    rows = [json.loads(line) for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines()]
    return {(row["network"], row["limit"], row["scheme"], row["ranges"]): row for row in rows}


def cell(results, key):
    """Percent, or why there is none."""
    row = results.get(key)
    if row is None:
        return ""
    return "refused" if "error" in row else f"{100 * row['right'] / row['images']:.2f}"


def table(results, network, limit, widths, kinds):
    """A row a kind, a column a width, min-max / MSE in a cell."""
    lines = [f"| {network} | {' | '.join(widths)} |", "|---" * (len(widths) + 1) + "|"]
    for kind in kinds:
        cells = []
        for width in widths:
            found = [cell(results, (network, limit, scheme_of(width, kind), ranges)) for ranges in RANGES]
            cells.append(" / ".join(found) if any(found) else "")
        lines.append(f"| {f'`{kind}`' if kind else '(per channel, symmetric)'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def parse_arguments():
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"), metavar="FOLDER",
                        help="with models, cifar10 and imagenet_sample (default: $QSIM_DATA_DIR, then ../shared/data)")
    parser.add_argument("--results", metavar="FILE.jsonl", help="a line a run; runs that it has are not run again")
    parser.add_argument("--widths", nargs="+", default=WIDTHS, metavar="WIDTHS")
    parser.add_argument("--kinds", nargs="+", default=KINDS, metavar="KIND", help="what follows the widths' colon")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="N images, spread evenly (default: all)")
    parser.add_argument("--jobs", type=int, default=0, help="processes (default: one a processor)")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")))
    return parser.parse_args()


def main():
    """Runs what is missing, then prints the table."""
    arguments = parse_arguments()
    results = read_results(arguments.results)
    with tempfile.TemporaryDirectory() as folder:
        fixed = NETWORKS[arguments.network](pathlib.Path(arguments.data), folder)
        for kind in arguments.kinds:
            for width in arguments.widths:
                for ranges in RANGES:
                    key = (arguments.network, arguments.limit, scheme_of(width, kind), ranges)
                    if key in results:
                        continue
                    row = dict(zip(("network", "limit", "scheme", "ranges"), key)) | evaluate(arguments, fixed, key[2], ranges)
                    results[key] = row
                    print(json.dumps(row), file=sys.stderr, flush=True)
                    if arguments.results and "error" not in row:
                        with open(arguments.results, "a", encoding="utf-8") as file:
                            file.write(json.dumps(row) + "\n")
    print(table(results, arguments.network, arguments.limit, arguments.widths, arguments.kinds))


if __name__ == "__main__":
    main()
