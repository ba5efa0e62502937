"""What bash, zsh and fish offer at the end of a command line, asked of the real shells.

Each function takes the line, the folder to stand in and the share/ folder with the completions, and gives the
candidates as the shell would put them into the line. `qsim` on the line is the binary under test.
"""

import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
from qsim_process import QSIM

SHARE = pathlib.Path(QSIM).parent / "share"
TIME_LIMIT_S = 30


def need(program):
    """Without the shell (or the file at a path) there is nothing to test; in CI it has to be there."""
    if shutil.which(program) is None and not pathlib.Path(program).is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")


def environment(home, share):
    """A user without files of their own; `qsim` is the binary under test."""
    return {"HOME": str(home), "PATH": f"{pathlib.Path(QSIM).resolve().parent}:{os.environ['PATH']}", "TERM": "dumb",
            "LC_ALL": "C.UTF-8", "XDG_DATA_DIRS": f"{share}:/usr/local/share:/usr/share", "XDG_CONFIG_HOME": str(home),
            "QSIM_PATH": os.environ.get("QSIM_PATH", "")}


# Readline's part is done by hand: the line is cut at COMP_WORDBREAKS, the function called, COMPREPLY printed.
BASH = r"""
source "$SHARE/bash-completion/completions/qsim"
mapfile -t COMP_WORDS <"$WORDS"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$LINE COMP_POINT=${#LINE}
_qsim "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
((${#COMPREPLY[@]} == 0)) || printf '%s\n' "${COMPREPLY[@]}"
"""


def cut_as_readline(line):
    """The words of a line without quotes; '=' and ':' are words of their own."""
    words = []
    for word in line.split(" "):
        for mark in "=:":
            word = word.replace(mark, f"\n{mark}\n")
        words += [piece for piece in word.split("\n") if piece] or [""]
    return words


def bash(line, folder, share=SHARE):
    need("bash")
    with tempfile.TemporaryDirectory() as home:
        words = pathlib.Path(home) / "words"
        words.write_text("".join(word + "\n" for word in cut_as_readline(line)), encoding="utf-8")
        run = subprocess.run(["bash", "--norc", "-c", BASH], cwd=folder, capture_output=True, text=True, check=False,
                             timeout=TIME_LIMIT_S, stdin=subprocess.DEVNULL,
                             env=environment(home, share) | {"SHARE": str(share), "WORDS": str(words), "LINE": line})
    assert run.stderr == "", run.stderr
    return run.stdout.splitlines()


def fish(line, folder, share=SHARE):
    need("fish")
    with tempfile.TemporaryDirectory() as home:
        run = subprocess.run(["fish", "--no-config", "-c",
                              f"source {share}/fish/vendor_completions.d/qsim.fish; complete -C $argv[1]", line],
                             cwd=folder, capture_output=True, text=True, check=False, timeout=TIME_LIMIT_S,
                             stdin=subprocess.DEVNULL, env=environment(home, share))
    assert run.returncode == 0 and run.stderr == "", run.stderr
    return [candidate.split("\t")[0] for candidate in run.stdout.splitlines()]


# Every match that the completion system adds goes to the file $MATCHES, and ALL when it is through.
ZSH = r"""
PROMPT= RPS1=
unsetopt zle_bracketed_paste prompt_sp
fpath=($SHARE/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -D
compadd() {
  local -a hits
  if (( ! ${@[(I)-[12a-zA-Z]#[OAD][12a-zA-Z]#]} )); then
    builtin compadd -O hits "$@"
    (( $#hits )) && print -rl -- $hits >>$MATCHES
  fi
  builtin compadd "$@"
}
complete-and-tell() { zle complete-word; print ALL >>$MATCHES }
zle -N complete-and-tell
bindkey '^I' complete-and-tell
zle-line-init() { print READY }
zle -N zle-line-init
"""


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, arguments, folder, variables):
        self.process, self.fd = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(arguments[0], arguments, variables)

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_until(self, condition):
        """Reads what the program prints until the condition on it holds."""
        seen, end = "", time.monotonic() + TIME_LIMIT_S
        while not condition(seen):
            assert time.monotonic() < end, f"waited in vain; the terminal shows {seen!r}"
            if select.select([self.fd], [], [], 0.02)[0]:
                seen += os.read(self.fd, 65536).decode(errors="replace")
        return seen

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.fd)


def bash_in_a_terminal(line, expected, folder, share=SHARE):
    """Types the line and a tabulator; bash-completion loads the completion by itself. Waits for `expected`."""
    need("/usr/share/bash-completion/bash_completion")
    with tempfile.TemporaryDirectory() as home:
        terminal = Terminal(["bash", "--norc", "-i"], folder, environment(home, share))
        try:
            terminal.type("PS1=; source /usr/share/bash-completion/bash_completion; echo REA''DY\n")
            terminal.wait_until(lambda seen: "READY" in seen)
            terminal.type(line + "\t")
            return terminal.wait_until(lambda seen: expected in seen)
        finally:
            terminal.close()


def zsh(line, folder, share=SHARE):
    need("zsh")
    with tempfile.TemporaryDirectory() as home:
        setup, matches = pathlib.Path(home) / "setup", pathlib.Path(home) / "matches"
        setup.write_text(ZSH, encoding="utf-8")
        matches.touch()
        terminal = Terminal(["zsh", "-f", "-i"], folder,
                            environment(home, share) | {"SHARE": str(share), "MATCHES": str(matches)})
        try:
            terminal.type(f"source {setup}\n")
            terminal.wait_until(lambda seen: "READY" in seen)
            terminal.type(f"{line}\t")
            terminal.wait_until(lambda _: matches.read_text(encoding="utf-8").endswith("ALL\n"))
        finally:
            terminal.close()
        return list(dict.fromkeys(matches.read_text(encoding="utf-8").splitlines()[:-1]))
