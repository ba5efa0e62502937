"""configs/schemas/workload.schema.json: a schema, which every shipped workload fulfils and broken ones do not."""

import copy
import json
import pathlib

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "configs" / "schemas" / "workload.schema.json").read_text(encoding="utf-8"))
MODELS = sorted((ROOT / "workloads" / "models").glob("*.json"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_what_ships_fulfils_the_schema(path):
    VALIDATOR.validate(json.loads(path.read_text(encoding="utf-8")))


def test_nine_workloads_ship():
    assert [path.stem for path in MODELS] == ["bert_base_layer", "decoder_7b_decode", "decoder_7b_prefill", "mobilenet_v2", "resnet",
                                              "resnet18", "resnet50", "resnet8", "vgg16"]


@pytest.mark.parametrize("change", [
    lambda w: w.pop("semantics"),
    lambda w: w["layers"][0].update(op="conv2"),
    lambda w: w["layers"][0].update(strides=2),
    lambda w: w["layers"][0]["weights"].update(scale=0),
    lambda w: w["layers"][0]["weights"].update(bits=17),
    lambda w: w["inputs"][0].update(shape=[1, 0, 3]),
    lambda w: w.update(outputs=[]),
])
def test_what_is_broken_does_not(change):
    workload = json.loads((ROOT / "workloads" / "models" / "resnet8.json").read_text(encoding="utf-8"))
    broken = copy.deepcopy(workload)
    change(broken)
    assert VALIDATOR.is_valid(workload) and not VALIDATOR.is_valid(broken)


def test_every_field_says_what_it_means():
    def fields(node):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                yield name, field
            for child in node.values():
                yield from fields(child)
        elif isinstance(node, list):
            for child in node:
                yield from fields(child)

    silent = {name for name, field in fields(SCHEMA) if "description" not in field and "$ref" not in field and "const" not in field}
    assert not silent
