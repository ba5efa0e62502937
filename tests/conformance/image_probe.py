"""Drives tests/conformance/dump_images.cpp: what qsim makes of image files."""

import os
import pathlib
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = os.environ.get("QSIM_DUMP_IMAGES", str(ROOT / "build" / "release" / "tests" / "qsim_dump_images"))


class ImageProbe:
    """One running program; arrays go through a file in `folder`."""

    def __init__(self, folder):
        self.folder = folder
        self._array = folder / "probe.npy"
        self._process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(timeout=60) == 0

    def ask(self, *fields):
        """The fields of the answer; the first is "ok" or "error"."""
        self._process.stdin.write("\t".join(map(str, fields)) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"the program ended at {fields}"
        return answer.rstrip("\n").split("\t")

    def _array_of(self, *fields):
        answer = self.ask(*fields, self._array)
        assert answer[0] == "ok", answer
        return np.load(self._array), answer[1:]

    def decode(self, path):
        return self._array_of("decode", path)[0]

    def error_of(self, path):
        """The message about an image that cannot be decoded."""
        answer = self.ask("decode", path, self._array)
        assert answer[0] == "error", f"{path} was decoded"
        return answer[1]

    def tensor(self, path, preprocess, shape, dtype="f32", scale=0.0, zero_point=0):
        return self._array_of("tensor", path, preprocess, ",".join(map(str, shape)), dtype, scale, zero_point)[0]

    def dataset(self, spec, index):
        """(pixels, size, label count, label, name)"""
        pixels, (size, labels, label, name) = self._array_of("dataset", spec, index)
        return pixels, int(size), int(labels), int(label), name

    def problem_of_preprocess(self, path):
        """None where the file is read."""
        answer = self.ask("preprocess", path)
        return None if answer[0] == "ok" else answer[1]
