"""What the validation commands share: rows of a CSV file, runs of qsim, predictions, the table of errors."""

import argparse
import concurrent.futures
import csv
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Key under which a row has its line; no column has this name.
LINE = ("line",)


class BadInput(Exception):
    """What is wrong with a file, in one line."""


def positive(text):
    """An argument that is a whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"got {value}, expected at least 1")
    return value


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
    parser.add_argument("--jobs", type=positive, default=os.cpu_count() or 1, help="runs side by side (default: one a processor)")
    for option, text in options:
        parser.add_argument(option, help=text)
    arguments = parser.parse_args()
    if arguments.predict and same_file(arguments.file, arguments.predict):
        raise BadInput(f"--predict: {arguments.predict} is the file that is read, expected another name")
    return arguments


def same_file(one, other):
    """Whether both paths name one regular file; paths that name nothing do not."""
    try:
        return os.path.isfile(one) and os.path.samefile(one, other)
    except OSError:
        return False


def bad(path, row, text):
    """BadInput about a row."""
    return BadInput(f"{path}: line {row[LINE]}: {text}")


def has_result(row, result):
    """Whether the row's cell of results is filled."""
    return bool((row.get(result) or "").strip())


def read_rows(arguments, columns, result):
    """Rows as dictionaries of column and text, each with its line under the key LINE. All rows are whole, and have a result
    unless --predict asks for results: then all have one, or none."""
    path = arguments.file
    needed = columns if arguments.predict else [*columns, result]
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = [{**row, LINE: reader.line_num} for row in reader]
            names = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path}: {error}") from error
    missing = [name for name in needed if name not in names]
    if missing:
        raise BadInput(f"{path}: line 1: no column {missing[0]}; expected {', '.join(needed)}")
    if not rows:
        raise BadInput(f"{path}: no rows")
    for row in rows:
        if None in row or None in row.values():
            raise bad(path, row, f"more or fewer fields than the {len(names)} of the heading")
    with_result = [has_result(row, result) for row in rows]
    if not all(with_result) and (any(with_result) or not arguments.predict):
        raise bad(path, rows[with_result.index(False)], f"{result}: got nothing, expected a number in every row")
    return rows


def integer(path, row, name, least=0):
    """A whole number of at least `least` in a row's column."""
    text = (row.get(name) or "").strip()
    try:
        value = int(text)
    except ValueError as error:
        raise bad(path, row, f"{name}: got {text!r}, expected an integer") from error
    if value < least:
        raise bad(path, row, f"{name}: got {value}, expected at least {least}")
    return value


def report_of(qsim, workload, arguments):
    """The report of a run without values. `workload` is a path, or the content of a workload in JSON."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(workload, dict):
                path = pathlib.Path(folder, "layer.json")
                path.write_text(json.dumps(workload), encoding="utf-8")
            else:
                path = workload
            run = subprocess.run([qsim, "--workload", str(path), "--cost-only", "--json", *map(str, arguments)],
                                 capture_output=True, text=True, check=False)
    except OSError as error:
        raise BadInput(f"{error.filename or qsim}: {error.strerror}") from error
    if run.returncode != 0:
        raise BadInput(run.stderr.strip() or f"{qsim} ended with exit code {run.returncode}")
    try:
        return json.loads(run.stdout)
    except ValueError as error:
        raise BadInput(f"{qsim} wrote no report: {error}") from error


def in_parallel(jobs, function, items):
    """function(item) of each item, in order."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(function, items))


def write_rows(file, rows, result, predictions):
    """The file's own columns, with `result` as qsim says it in the last one."""
    names = [name for name in rows[0] if name not in (LINE, result)] + [result]
    writer = csv.DictWriter(file, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row, prediction in zip(rows, predictions):
        writer.writerow({**row, result: prediction})


def write_predictions(path, rows, result, predictions):
    """A file that is whole or not there; a device or pipe is written directly."""
    target = os.path.realpath(path)
    part = f"{target}.part"
    try:
        is_file = not os.path.exists(target) or stat.S_ISREG(os.stat(target).st_mode)
        if not is_file:
            with open(target, "w", newline="", encoding="utf-8") as file:
                write_rows(file, rows, result, predictions)
            return
        try:
            with open(part, "w", newline="", encoding="utf-8") as file:
                write_rows(file, rows, result, predictions)
            if os.path.exists(target):
                shutil.copymode(target, part)
            os.replace(part, target)
        except OSError:
            pathlib.Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise BadInput(f"--predict: {path}: {error.strerror}") from error


def error_percent(predicted, expected):
    """Signed, in percent of what was expected, which is more than 0."""
    return 100.0 * (predicted - expected) / expected


def summary(errors):
    """The last line of every validation command."""
    magnitudes = [abs(error) for error in errors]
    mean = sum(magnitudes) / len(magnitudes) if magnitudes else 0.0
    return (f"rows={len(magnitudes)} mean_abs_error_percent={mean:.3f} "
            f"max_abs_error_percent={max(magnitudes, default=0.0):.3f}")


def conclude(arguments, result, rows, predictions, lines, errors):
    """The end of every command: predictions to their file, the lines, and a summary where there was something to compare.
    `errors` are in percent, by the name of their group; several groups get a line each."""
    if arguments.predict:
        write_predictions(arguments.predict, rows, result, predictions)
    for line in lines:
        print(line.rstrip())
    together = [error for group in errors.values() for error in group]
    if together or not arguments.predict:
        if len(errors) > 1:
            for name, group in errors.items():
                print(f"{name}: {summary(group)}")
        print(summary(together))
    return 0


def compare_rows(arguments, result, rows, predict, describe, reference):
    """main() of a command whose rows are runs of their own: predict(row) is qsim's number, describe(row, prediction) the
    beginning of its line, `reference` the name of what it stands against."""
    predictions = in_parallel(arguments.jobs, predict, rows)
    lines, errors = [], []
    for row, cycles in zip(rows, predictions):
        line = describe(row, cycles)
        if has_result(row, result):
            expected = integer(arguments.file, row, result, 1)
            errors.append(error_percent(cycles, expected))
            line += f" {reference}={expected:<9} error_percent={errors[-1]:+.3f}"
        lines.append(line)
    return conclude(arguments, result, rows, predictions, lines, {"all": errors})


def run_main(main):
    """Exit codes as qsim's own: 2 for bad input, with one line."""
    program = pathlib.Path(sys.argv[0]).name
    try:
        code = main()
        sys.stdout.flush()
    except BadInput as error:
        print(f"{program}: {error}", file=sys.stderr)
        code = 2
    except OSError as error:  # of standard output: all others are BadInput
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"{program}: standard output: {error.strerror}", file=sys.stderr)
        code = 2
    sys.exit(code)
