"""What the shells offer. Options and choices are compared with --help, names with `qsim list`."""

import json
import re

import pytest
from completion_shells import bash, bash_in_a_terminal, fish, zsh
from help_options import options_in
from qsim_process import qsim

SHELLS = pytest.mark.parametrize("shell", [bash, zsh, fish], ids=["bash", "zsh", "fish"])


def commands():
    """The words of the command lines that `qsim help` lists: [[], ["list"], ..]."""
    return [line.split("  ")[1].split()[1:] for line in qsim("help").stdout.splitlines()]


def options_of(command):
    """{"--batch": "N", "--json": ""}: the options that the command's help shows, with their value's word."""
    return options_in(qsim(*command, "--help").stdout)


def shipped(kind):
    return [item["name"] for item in json.loads(qsim("list", "--json").stdout)[kind]]


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    for name in ("chip.json", "net.tflite", "image.npy", "rows.csv", "note.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    return tmp_path


def without_slashes(candidates):
    return {candidate.rstrip("/") for candidate in candidates}


@SHELLS
@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_option_of_every_command_is_offered(shell, command, folder):
    line = " ".join(["qsim", *command, "--"])
    assert set(shell(line, folder)) == set(options_of(command))


@SHELLS
@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_choices_of_every_option_are_offered(shell, command, folder):
    for option, value in options_of(command).items():
        choices = re.fullmatch(r"[a-z]+(\|[a-z]+)+", value)
        if choices:
            assert set(shell(" ".join(["qsim", *command, option, ""]), folder)) == set(value.split("|"))


@SHELLS
def test_the_first_word_may_be_a_command(shell, folder):
    names = {command[0] for command in commands() if command}
    assert set(shell("qsim ", folder)) == names
    assert shell("qsim hel", folder) == ["help"]
    assert set(shell("qsim help ", folder)) == names


@SHELLS
def test_hardware_is_what_ships_and_json_files(shell, folder):
    assert without_slashes(shell("qsim --hw ", folder)) == {*shipped("hardware"), "chip.json", "sub"}
    assert set(shell("qsim --hw npu_", folder)) == {name for name in shipped("hardware") if name.startswith("npu_")}


@SHELLS
def test_workloads_are_what_ships_and_model_files(shell, folder):
    expected = {*shipped("workloads"), "chip.json", "net.tflite", "rows.csv", "sub"}
    assert without_slashes(shell("qsim --workload ", folder)) == expected


@SHELLS
def test_names_that_ship_follow_qsim_path(shell, folder, monkeypatch):
    (folder / "mine" / "configs").mkdir(parents=True)
    (folder / "mine" / "configs" / "my chip.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("QSIM_PATH", str(folder / "mine"))
    assert "my chip" in [name.replace("\\", "") for name in shell("qsim --hw my", folder)]


@SHELLS
def test_files_are_offered_by_their_extension(shell, folder):
    assert without_slashes(shell("qsim --input ", folder)) == {"image.npy", "sub"}
    assert without_slashes(shell("qsim --layers ", folder)) == {"rows.csv", "sub"}


@SHELLS
def test_a_file_is_offered_after_a_name_too(shell, folder):
    # fish gives the whole word, bash and zsh what follows the '='.
    for line, given in (("qsim --input x=im", "x="), ("qsim --input=x=im", "--input=x="), ("qsim --input=im", "--input=")):
        assert shell(line, folder) in (["image.npy"], [given + "image.npy"])


@SHELLS
def test_values_follow_an_equals_sign(shell, folder):
    assert set(shell("qsim --hw=npu_", folder)) in (
        {"npu_fused", "npu_large", "npu_mx", "npu_small"},
        {"--hw=npu_fused", "--hw=npu_large", "--hw=npu_mx", "--hw=npu_small"},
    )
    assert set(shell("qsim list --names=e", folder)) in ({"energy"}, {"--names=energy"})


@SHELLS
def test_fields_of_the_chip_are_offered(shell, folder):
    fields = set(qsim("list", "--names", "fields").stdout.split())
    assert {field.rstrip("=") for field in shell("qsim --set ", folder)} == fields
    assert len(shell("qsim --set mac_array.ro", folder)) == 1


@SHELLS
@pytest.mark.parametrize("option", ["--batch", "--seed", "--until"])
def test_nothing_is_offered_for_free_values(shell, option, folder):
    assert shell(f"qsim {option} ", folder) == []


@pytest.mark.parametrize("shell", [bash, zsh], ids=["bash", "zsh"])
def test_an_option_is_offered_once_unless_it_may_be_repeated(shell, folder):
    assert shell("qsim --batch 2 --bat", folder) == []
    assert shell("qsim --set mac_array.rows=8 --set", folder) == ["--set"]


@SHELLS
def test_options_of_a_command_are_not_those_of_a_run(shell, folder):
    assert shell("qsim list --work", folder) == []
    assert shell("qsim --workload list --work", folder) in ([], ["--workload"])  # "list" is a value here


def test_bash_loads_and_completes_in_a_terminal(folder):
    bash_in_a_terminal("qsim --hw npu_sm", "npu_small", folder)
    bash_in_a_terminal("qsim --hw=npu_sm", "npu_small", folder)
    bash_in_a_terminal("qsim --input x=im", "x=image.npy", folder)
    bash_in_a_terminal("qsim --set mac_array.row", "mac_array.rows=", folder)
    bash_in_a_terminal("qsim --hw 'npu_sm", "'npu_small'", folder)


def test_bash_completes_files_with_spaces_in_a_terminal(folder):
    (folder / "two words.npy").touch()
    bash_in_a_terminal("qsim --input two", "two\\ words.npy", folder)
    bash_in_a_terminal("qsim --input two\\ w", "two\\ words.npy", folder)
    bash_in_a_terminal("qsim --input 'two w", "'two words.npy'", folder)
