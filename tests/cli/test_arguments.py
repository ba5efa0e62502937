"""Bad arguments: exit code 2 and a message that names the argument, what was given, what is right and a remedy."""

import re
import subprocess

import pytest
from help_options import options_in
from qsim_process import QSIM, bad_input, qsim


def test_no_arguments_ask_for_a_workload():
    (message,) = bad_input()
    message.says("--workload", "got nothing", "expected a workload file or shipped name", "qsim list")


@pytest.mark.parametrize("wrong, right", [("--bacth", "--batch"), ("--worklod", "--workload"), ("--quite", "--quiet"),
                                          ("--weights-bits", "--weight-bits"), ("--dump-tensor", "--dump-tensors")])
def test_a_misspelled_option_names_the_nearest(wrong, right):
    bad_input("--workload", "x", wrong, "3")[0].says(f"qsim: {wrong}:", f"did you mean {right}?")


def test_a_misspelled_command_names_the_nearest():
    bad_input("lsit")[0].says("qsim: lsit:", "did you mean list?")


@pytest.mark.parametrize("option, low, high", [("--batch", 1, 65536), ("--inferences", 1, 1000000),
                                               ("--weight-bits", 1, 16), ("--activation-bits", 1, 16),
                                               ("--threads", 1, 1024), ("--seed", 0, 2**63 - 1)])
def test_numbers_are_integers_in_their_range(option, low, high):
    for value in (str(low - 1), str(high + 1), "three", "1.5", "1e3", "0x10", "7 ", "99999999999999999999"):
        (message,) = bad_input("--workload", "x", option, value)
        message.says(f"qsim: {option}:", f'got "{value}"', f"expected an integer from {low} to {high}", "qsim --help")


def test_several_bad_numbers_come_together():
    assert len(bad_input("--workload", "x", "--batch", "0", "--seed", "x", "--threads", "0")) == 3


@pytest.mark.parametrize("option", ["--hw", "--workload", "--batch", "--set", "--report", "--input"])
def test_a_value_that_is_missing_is_said_so(option):
    bad_input(option)[0].says(f"qsim: {option}:", "got nothing", "expected a value")
    bad_input(option, "--json")[0].says(f"qsim: {option}:", "got nothing", "expected a value")


def test_an_option_given_twice_is_refused():
    bad_input("--workload", "x", "--hw", "npu", "--hw", "npu")[0].says("qsim: --hw:", "expected the option once")


def test_values_are_layer_or_tile():
    bad_input("--workload", "x", "--values", "pixel")[0].says("--values", '"pixel"', "layer or tile")


@pytest.mark.parametrize("option", ["--outputs", "--dump-tensors", "--input"])
def test_cost_only_has_no_values(option, tmp_path):
    bad_input("--workload", "x", "--cost-only", option, tmp_path / "file")[0].says("--cost-only", f"no {option}")


def test_a_workload_that_does_not_exist_is_named():
    bad_input("--workload", "no_such_network")[0].says("no_such_network")


def test_outputs_go_to_files_that_can_be_written(tmp_path):
    for option in ("--report", "--layers", "--outputs", "--dump-tensors"):
        missing = tmp_path / "missing" / "file"
        bad_input("--workload", "x", option, missing)[0].says(f"qsim: {option}:", str(missing), "does not exist")
        bad_input("--workload", "x", option, tmp_path)[0].says(f"qsim: {option}:", "a folder")


def test_two_outputs_do_not_share_a_file(tmp_path):
    file = tmp_path / "file"
    bad_input("--workload", "x", "--report", file, "--layers", file)[0].says("--layers", "the file of --report")


def commands():
    """The words of the command lines that `qsim help` lists: [[], ["list"], ..]."""
    calls = [re.match(r"  qsim( [a-z-]+)?  ", line) for line in qsim("help").stdout.splitlines()]
    assert all(calls)
    return [(call[1] or "").split() for call in calls]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_help_fits_a_screen_has_an_example_and_every_option_that_is_accepted(command):
    run = qsim(*command, "--help")
    assert run.returncode == 0 and run.stderr == ""
    lines = run.stdout.splitlines()
    assert len(lines) <= 40 and max(map(len, lines)) <= 100
    assert "example: qsim " in run.stdout and "exit code: 0 success" in run.stdout
    assert qsim(*command, "-h").stdout == run.stdout
    options = options_in(run.stdout)
    assert "--help" in options
    for option, value in options.items():
        if value:
            bad_input(*command, option)[0].says(f"qsim: {option}:", "got nothing")
        else:
            bad_input(*command, option + "=no")[0].says(f"qsim: {option}:", 'got "no"', "expected no value")


@pytest.mark.parametrize("command", [command for command in commands() if command], ids=" ".join)
def test_help_with_a_command_is_its_help(command):
    assert qsim("help", *command).stdout == qsim(*command, "--help").stdout
    assert re.search(rf"[ ,]{command[0]}\b", qsim("--help").stdout)


def test_a_run_has_the_options_that_scripts_rely_on():
    options = options_in(qsim("--help").stdout)
    flags = {"--cost-only", "--json", "--quiet", "--help", "--version"}
    assert {option for option, value in options.items() if not value} == flags
    assert set(options) - flags >= {
        "--hw", "--workload", "--input", "--seed", "--batch", "--inferences", "--set", "--weight-bits",
        "--activation-bits", "--bits", "--values", "--until", "--threads", "--report", "--layers", "--outputs",
        "--dump-tensors"}


def test_version():
    assert re.fullmatch(r"qsim \d+\.\d+\.\d+\n", qsim("--version").stdout)


def test_a_command_goes_first():
    bad_input("--json", "list")[0].says("qsim: list:", "a command goes first: qsim list")


def test_help_of_an_unknown_command_names_the_nearest():
    bad_input("help", "lits")[0].says('got "lits"', "did you mean list?")


@pytest.mark.parametrize("word", ["--batch=", "--hw="])
def test_an_empty_value_is_none(word):
    option = word.rstrip("=")
    bad_input("--workload", "x", word)[0].says(f"qsim: {option}:", "got nothing", "expected a value")
    bad_input("--workload", "x", "--hw", "")[0].says("qsim: --hw:", "got nothing", "expected a value")


def test_a_value_in_brackets_stays_as_it_is():
    bad_input("--workload", "[a,b]")[0].says('got "[a,b]"')


def test_a_full_disk_under_standard_output_is_said_so():
    with open("/dev/full", "w", encoding="utf-8") as full:
        run = subprocess.run([QSIM, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 2
    assert "standard output" in run.stderr and "No space left" in run.stderr
