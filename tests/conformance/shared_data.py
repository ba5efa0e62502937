"""Models and images that are not part of the repository: $QSIM_DATA_DIR, then ../shared/data."""

import os
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def data_path(relative):
    """A file or folder of the test data; missing data fails in CI and skips elsewhere."""
    folders = [pathlib.Path(os.environ["QSIM_DATA_DIR"])] if "QSIM_DATA_DIR" in os.environ else []
    folders.append(ROOT.parent / "shared" / "data")
    for folder in folders:
        if (folder / relative).exists():
            return folder / relative
    message = f"test data {relative} not found in {', '.join(map(str, folders))}; docs/tflite.md says where it is from"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
