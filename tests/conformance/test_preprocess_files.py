"""configs/schemas/preprocess.schema.json and the reader accept the same documents."""

import copy
import json
import pathlib

import jsonschema
import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "configs" / "schemas" / "preprocess.schema.json").read_text(encoding="utf-8"))
SHIPPED = sorted((ROOT / "configs" / "preprocess").glob("*.json"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVERYTHING = {
    "$schema": "x", "description": "d", "channels": "RGB", "unit_scale": True, "mean": [0.5, 0.25, 1], "std": 2,
    "steps": [{"resize_shorter_side": 256, "interpolation": "bilinear"}, {"center_crop": [224, 224]},
              {"center_crop_fraction": 0.875}, {"resize": [10, 12], "interpolation": "lanczos"}]}
VALUES = [None, True, -1, 0, 1, 8.0, 1.5, 1e-6, 1e-7, 1e6, 1e7, 65535, 65536, "", "RGB", "grey", "bilinear", [], [1],
          [1, 2], [1, 2, 3], [0, 1, 2], [1, 2, 3, 4], ["1", 2], {}, [{}], {"center_crop": [1, 1]},
          [{"center_crop": [1, 1]}] * 17, {"resize": [2, 2]}]
KEYS = ["resize", "center_crop", "interpolation", "mean", "std", "channels", "colour", "steps"]


def test_the_schema_is_one_and_every_field_has_a_description():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name, field in SCHEMA["properties"].items():
        assert field["description"], name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_fulfils_the_schema_and_is_read(probe, path):
    document = json.loads(path.read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    assert document["description"]
    assert (path.parent / document["$schema"]).resolve() == ROOT / "configs" / "schemas" / "preprocess.schema.json"
    assert probe.problem_of_preprocess(path) is None


def places(document):
    """(container, key) of every value."""
    for key in list(document) if isinstance(document, dict) else range(len(document)):
        yield document, key
        if isinstance(document[key], dict | list):
            yield from places(document[key])


def mutated(generator):
    document = copy.deepcopy(EVERYTHING)
    for _ in range(generator.integers(1, 3)):
        options = list(places(document))
        container, key = options[generator.integers(len(options))]
        change = generator.integers(4)
        if change == 0 and isinstance(container, dict):
            del container[key]
        elif change == 1 and isinstance(container, dict):
            container[KEYS[generator.integers(len(KEYS))]] = copy.deepcopy(VALUES[generator.integers(len(VALUES))])
        else:
            container[key] = copy.deepcopy(VALUES[generator.integers(len(VALUES))])
    return document


def test_reader_and_schema_agree_on_changed_documents(probe, tmp_path):
    generator = np.random.default_rng(3)
    path = tmp_path / "preprocess.json"
    verdicts = []
    for _ in range(3000):
        document = mutated(generator)
        path.write_text(json.dumps(document), encoding="utf-8")
        problem = probe.problem_of_preprocess(path)
        assert (problem is None) == VALIDATOR.is_valid(document), f"{document}: reader: {problem}"
        verdicts.append(problem is None)
    assert 300 < sum(verdicts) < 2700


def test_a_problem_names_file_place_value_and_what_was_expected(probe, tmp_path):
    path = tmp_path / "preprocess.json"
    path.write_text('{"steps": [{"resize": [0, 224], "interpolation": "bilinear"}]}', encoding="utf-8")
    assert probe.problem_of_preprocess(path) == (
        f"{path}: steps[0].resize[0]: got 0, expected an integer from 1 to 65535; "
        "docs/datasets.md describes every key")
