"""Runs the built program. $QSIM_BINARY names it; without that, build/release/qsim."""

import dataclasses
import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).parents[2]
QSIM = os.environ.get("QSIM_BINARY", str(ROOT / "build" / "release" / "qsim"))
WORKLOAD = "resnet8"


def qsim(*arguments, **options):
    """The finished process, with text on both streams."""
    return subprocess.run([QSIM, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300,
                          **options)


def report_of(*arguments):
    """The report of a run that succeeds."""
    run = qsim("--workload", WORKLOAD, "--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@dataclasses.dataclass
class Message:
    """One line of bad input: "qsim: FILE: PLACE: got VALUE, expected X; HINT"."""

    line: str

    def says(self, *words):
        for word in words:
            assert word in self.line, f"{word!r} is not in: {self.line}"


def bad_input(*arguments, **options):
    """The messages of a run that is refused: exit code 2, nothing on standard output, one line a problem."""
    run = qsim(*arguments, **options)
    assert run.returncode == 2, f"exit code {run.returncode}: {run.stderr}"
    assert run.stdout == ""
    lines = run.stderr.splitlines()
    assert lines and all(line.startswith("qsim: ") for line in lines), run.stderr
    return [Message(line) for line in lines]
