"""Published machines: every field has an entry in `sources`, its own or its section's."""

import json

import pytest
from qsim_process import ROOT

# What says nothing about the machine, and the energy table, which has sources of its own.
WITHOUT_SOURCE = {"$schema", "name", "description", "sources", "extends", "energy"}
PUBLISHED = [path.stem for path in sorted((ROOT / "configs").glob("*.json")) if "sources" in json.loads(path.read_text())]


def fields_of(machine):
    """Section and path of every field."""
    for name, value in machine.items():
        if name in WITHOUT_SOURCE:
            continue
        if isinstance(value, dict):
            yield from ((name, f"{name}.{field}") for field in value)
        else:
            yield name, name


def test_the_published_machines_are_found():
    assert {"nvdla_small", "ethos_u55_128", "tpu_v1", "edge_tpu", "scalesim_32_ws"} <= set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_field_has_its_source(name):
    machine = json.loads((ROOT / "configs" / f"{name}.json").read_text())
    assert [path for section, path in fields_of(machine) if not {section, path} & set(machine["sources"])] == []
