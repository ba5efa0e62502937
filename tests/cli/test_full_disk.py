"""Results that cannot be written: exit code 2, a message, and neither the file nor a part of it."""

import re
import subprocess

import pytest
from qsim_process import QSIM, qsim

OUTPUTS = ["--report", "--layers", "--outputs", "--dump-tensors"]


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_full_disk(option):
    run = qsim("--workload", "resnet8", option, "/dev/full", "--quiet")
    assert run.returncode == 2
    assert re.fullmatch(r"qsim: /dev/full: got .*No space left on device, expected .+; .+\n", run.stderr)


@pytest.mark.parametrize("option", OUTPUTS)
def test_a_file_size_limit_leaves_neither_the_file_nor_a_part(option, tmp_path):
    target = tmp_path / "out" / "result"
    target.parent.mkdir()
    script = 'ulimit -f 1; exec "$@"'  # one block of 1024 bytes
    run = subprocess.run(["bash", "-c", script, "bash", QSIM, "--workload", "resnet18", "--until", "stem", option, str(target), "--quiet"],
                         capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 2, run.stderr
    assert "File too large" in run.stderr and str(target) in run.stderr
    assert list(target.parent.iterdir()) == []
