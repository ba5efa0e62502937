"""The manual page: without warnings, and complete against --help."""

import re
import subprocess

import pytest
from completion_shells import SHARE, need
from qsim_process import qsim

PAGE = SHARE / "man" / "man1" / "qsim.1"


def rendered():
    """The page as text; dashes are ASCII."""
    need("mandoc")
    run = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=400", PAGE], capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", run.stdout)


def section(text, heading, indent=""):
    """From the heading to the next one of the same depth."""
    found = re.search(rf"^{indent}{heading}\n((?:{indent}\s+.*\n|\n)*)", text, re.MULTILINE)
    assert found, f"no {heading!r}"
    return found[1]


def test_mandoc_finds_nothing_to_complain_about():
    need("mandoc")
    run = subprocess.run(["mandoc", "-T", "lint", PAGE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


def test_man_formats_it_without_warnings():
    need("man")
    run = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", PAGE], capture_output=True, text=True,
                         check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", "MANWIDTH": "80"})
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("command", [line.split("  ")[1].split() for line in qsim("help").stdout.splitlines()],
                         ids=" ".join)
def test_every_option_and_example_of_every_command_is_there(command):
    text = rendered()
    part = section(text, "OPTIONS") if command == ["qsim"] else section(section(text, "COMMANDS"), " ".join(command), "   ")
    shown = qsim(*command[1:], "--help").stdout
    options = re.findall(r"^  (?:-[a-z], )?(--[a-z-]+(?: \S+)?)  ", shown, re.MULTILINE)
    assert options
    for option in options:
        assert re.search(rf"^ +(?:-[a-z], )?{re.escape(option)}(?: |$)", part, re.MULTILINE), f"no {option}"
    for example in re.findall(r"^example: (.*)$", shown, re.MULTILINE):
        assert example in section(text, "EXAMPLES")
    assert f"       {' '.join(command)} " in section(text, "SYNOPSIS")


def test_exit_codes_are_those_of_the_help():
    text = section(rendered(), "EXIT STATUS")
    for code in ("0", "1", "2", "70", "130"):
        assert re.search(rf"^ +{code} ", text, re.MULTILINE)
