"""What the validation commands share: rows of a CSV file, runs of qsim, the table of errors."""

import argparse
import concurrent.futures
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]


class BadInput(Exception):
    """What is wrong with a file, in one line."""


def parse_arguments(description, columns, result, options=()):
    """Arguments that all validation commands take; `columns` are needed in the file, `result` without --predict.
    `options` are further ones with their help."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"columns needed: {', '.join(columns)}; without --predict also {result}")
    parser.add_argument("file", metavar="FILE.csv")
    parser.add_argument("--predict", metavar="OUT.csv", help=f"write what qsim says for each row as column {result}")
    parser.add_argument("--qsim", default=os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim")),
                        help="program to run (default: $QSIM_BINARY, then build/release/qsim)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs side by side (default: one a processor)")
    for option, text in options:
        parser.add_argument(option, help=text)
    return parser.parse_args()


def read_rows(path, columns):
    """Rows as dictionaries, each with its line under the key None."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [{**row, "line": reader.line_num} for row in reader]
            missing = [name for name in columns if name not in (reader.fieldnames or [])]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: {error}") from error
    if missing:
        raise BadInput(f"{path}: line 1: no column {missing[0]}; expected {', '.join(columns)}")
    if not rows:
        raise BadInput(f"{path}: no rows")
    return rows


def integer(path, row, name, least=0):
    """A whole number of at least `least` in a row's column."""
    text = (row.get(name) or "").strip()
    try:
        value = int(text)
    except ValueError as error:
        raise BadInput(f"{path}: line {row['line']}: {name}: got {text!r}, expected an integer") from error
    if value < least:
        raise BadInput(f"{path}: line {row['line']}: {name}: got {value}, expected at least {least}")
    return value


def report_of(qsim, workload, arguments):
    """The report of a run without values. `workload` is a path, or the content of a workload in JSON."""
    with tempfile.TemporaryDirectory() as folder:
        if isinstance(workload, dict):
            path = pathlib.Path(folder, "layer.json")
            path.write_text(json.dumps(workload), encoding="utf-8")
        else:
            path = workload
        run = subprocess.run([qsim, "--workload", str(path), "--cost-only", "--json", *map(str, arguments)],
                             capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise BadInput(run.stderr.strip() or f"{qsim} ended with exit code {run.returncode}")
    return json.loads(run.stdout)


def in_parallel(jobs, function, items):
    """function(item) of each item, in order."""
    with concurrent.futures.ThreadPoolExecutor(max(1, jobs)) as pool:
        return list(pool.map(function, items))


def write_predictions(path, fieldnames, rows, result, predictions):
    """The file's own columns, with `result` as qsim says it."""
    names = [*fieldnames, *([] if result in fieldnames else [result])]
    temporary = f"{path}.part"
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row, prediction in zip(rows, predictions):
            writer.writerow({**row, result: prediction})
    os.replace(temporary, path)


def error_percent(predicted, expected):
    """Signed, in percent of what was expected."""
    if expected == 0:
        return 0.0 if predicted == 0 else 100.0
    return 100.0 * (predicted - expected) / expected


def summary(errors):
    """The last line of every validation command."""
    magnitudes = [abs(error) for error in errors]
    mean = sum(magnitudes) / len(magnitudes) if magnitudes else 0.0
    return (f"rows={len(magnitudes)} mean_abs_error_percent={mean:.3f} "
            f"max_abs_error_percent={max(magnitudes, default=0.0):.3f}")


def run_main(main):
    """Exit codes as qsim's own: 2 for bad input, with one line."""
    try:
        sys.exit(main())
    except BadInput as error:
        print(f"{pathlib.Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(2)
