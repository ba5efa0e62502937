#!/usr/bin/env python3
"""What post-training quantization keeps of a network, method by method: one command, the tables of docs/quantization.md in Markdown.

    bench/quantization_table.py [--data FOLDER] [--results FILE.jsonl] [--limit N]

ResNet-8 of MLPerf Tiny (resnet8_float.onnx), 1,024 calibration images of data_batch_1.bin, judged on the 5,000 images of
test_batch_even.bin, every row executed on the chip. A cell has the SQNR of the logits in dB and the share of images that get the
class that the float network gives them. 16 bits stand for float: the first line says what they cost. A call of `qsim compare` a
method; calls whose rows are in the file of results are not run again. Needs python3 alone."""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
GRANULARITIES = {"per channel": "", "per tensor": ":weights=per_tensor"}
BITS = (8, 6, 4)
RANGES = ("minmax", "mse", "cle+mse", "cle+mse+bias_correction")
ADAROUND = ("cle+mse+adaround_layer", "cle+mse+adaround_inputs", "cle+mse+adaround")
WIDE = "accumulators.width_bits=48"  # sums of 16 bits by 16 bits


def schemes(weights, activations, granularities=GRANULARITIES):
    """{scheme as typed}"""
    return [f"w{w}a{a}{GRANULARITIES[g]}" for g in granularities for w in weights for a in activations]


def calls():
    """(method, schemes, settings, processes): rows that one call makes."""
    for method in RANGES:
        yield method, schemes(BITS, BITS), [], 0
        yield method, schemes(BITS, (16,)) + schemes((16,), BITS, ["per channel"]), [WIDE], 0
    yield "minmax", ["w16a16"], [WIDE], 0
    for method in ADAROUND:  # one process: each would choose the weights anew
        if method == ADAROUND[-1]:
            yield method, schemes((4,), (8, 4)), [], 1
        yield method, schemes((4,), (16,)), [WIDE], 1


def run(arguments, method, names, sets, jobs):
    """Rows of one call, and what it took."""
    images = arguments.data / "cifar10"
    command = [arguments.qsim, "compare", "--workload", arguments.data / "models/resnet8_float.onnx", "--schemes", ",".join(names),
               "--method", method, "--calibration", f"cifar10:{images / 'data_batch_1.bin'}", "--calibration-inputs", "1024",
               "--data", f"cifar10:{images / 'test_batch_even.bin'}", "--json"]
    for setting in sets:
        command += ["--set", setting]
    if arguments.limit:
        command += ["--limit", str(arguments.limit)]
    if jobs or arguments.jobs:
        command += ["--jobs", str(jobs or arguments.jobs)]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stderr}quantization_table.py: qsim compare --method {method} ended with {done.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {"seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 1)}
    result = json.loads(done.stdout)
    rows = [{"method": method, "limit": arguments.limit, "scheme": row["scheme"], "images": result["inputs"]["count"],
             "sqnr_db": row["sqnr_db"], "agree": row["agreement"]["correct"], "right": row["top1"]["correct"],
             "energy_pj": row["energy_total_pj"], "error": row["error"]} for row in result["rows"]]
    return rows, cost


def measure(arguments):
    """{(method, scheme): row}, from the file of results or from a run."""
    results, spent = {}, 0.0
    path = arguments.results
    if path and path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["limit"] == arguments.limit:
                results[row["method"], row["scheme"]] = row
    for method, names, sets, jobs in calls():
        missing = [name for name in names if (method, name) not in results]
        if not missing:
            continue
        rows, cost = run(arguments, method, missing, sets, jobs)
        spent += cost["seconds"]
        print(f"{method}: {len(rows)} rows in {cost['seconds']} s, {cost['cpu_seconds']} s of processors", file=sys.stderr, flush=True)
        for row in rows:
            results[method, row["scheme"]] = row
            if path:
                with open(path, "a", encoding="utf-8") as file:
                    file.write(json.dumps(row | cost) + "\n")
    print(f"{spent:.0f} s in all", file=sys.stderr)
    return results


def cell(results, method, scheme):
    """dB / agreement / right ones."""
    row = results.get((method, scheme))
    if row is None:
        return ""
    return f"{row['sqnr_db']:.1f} / .{round(1000 * row['agree'] / row['images']):03d} / {row['right']}" if row["error"] is None else "refused"


def table(results, head, methods, columns):
    """A row a method, a column a scheme."""
    lines = [f"| {head} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for label, method in methods.items():
        lines.append(f"| {label} | " + " | ".join(cell(results, method, scheme) for scheme in columns.values()) + " |")
    return "\n".join(lines)


def tables(results):
    """All of them."""
    text = ["Each cell: SQNR of the logits in dB / agreement with the float network / right ones. W16A16: " + cell(results, "minmax", "w16a16") + "."]
    steps = {"min-max": "minmax", "MSE": "mse", "+ CLE": "cle+mse", "+ bias correction": "cle+mse+bias_correction"}
    full = steps | {"CLE, MSE, AdaRound": "cle+mse+adaround"}
    for granularity, suffix in GRANULARITIES.items():
        text.append(table(results, f"weights only, {granularity}", full, {f"W{w}": f"w{w}a16{suffix}" for w in BITS}))
    text.append(table(results, "activations only", steps, {f"A{a}": f"w16a{a}" for a in BITS}))
    for granularity, suffix in GRANULARITIES.items():
        for a in BITS:
            text.append(table(results, f"A{a}, {granularity}", full, {f"W{w}A{a}": f"w{w}a{a}{suffix}" for w in BITS}))
    ablation = {"nearest": "cle+mse", "layer by layer": "cle+mse+adaround_layer", "+ quantized inputs": "cle+mse+adaround_inputs",
                "+ activation": "cle+mse+adaround"}
    text.append(table(results, "AdaRound, weights only", ablation, {f"W4 {g}": f"w4a16{suffix}" for g, suffix in GRANULARITIES.items()}))
    return "\n\n".join(text)


def main():
    """Runs what is missing, then prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"), metavar="FOLDER",
                        help="with models and cifar10 (default: $QSIM_DATA_DIR, then ../shared/data)")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE.jsonl", help="a line a row; rows that it has are not run again")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="N images, spread evenly (default: all)")
    parser.add_argument("--jobs", type=int, default=0, help="processes (default: one a processor)")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")))
    print(tables(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
