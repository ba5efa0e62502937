"""SCALE-Sim topologies as workloads: run, check and list know them, and their shapes are SCALE-Sim's."""

import json

from qsim_process import qsim

CONVOLUTIONS = """Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
Conv1, 20, 18, 7, 7, 3, 8, 2,
Conv2_DP, 9, 9, 3, 3, 6, 1, 2,
FC, 1, 1, 1, 1, 32, 10, 1,
"""
PRODUCTS = "Layer,M,N,K,\nqkv,12,20,7,\n"


def report_of(path, *arguments):
    run = qsim("--workload", path, "--json", *arguments)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_macs_are_outputs_times_reduction(tmp_path):
    (tmp_path / "net.csv").write_text(CONVOLUTIONS)
    layers = {layer["name"]: layer for layer in report_of(tmp_path / "net.csv")["layers"]}
    # ceil((20 - 7 + 2) / 2) = 8 rows and ceil((18 - 7 + 2) / 2) = 7 columns; ceil((9 - 3 + 2) / 2) = 4.
    assert layers["Conv1"]["macs"] == 8 * 7 * 8 * (7 * 7 * 3)
    assert layers["Conv2_DP"]["macs"] == 4 * 4 * 6 * (3 * 3)
    assert layers["FC"]["macs"] == 10 * 32
    assert list(layers) == ["Conv1", "Conv2_DP", "FC"]


def test_products_have_rows_and_columns(tmp_path):
    (tmp_path / "gemm.csv").write_text(PRODUCTS)
    report = report_of(tmp_path / "gemm.csv", "--values", "tile")
    assert report["totals"]["macs"] == 12 * 20 * 7
    assert report["outputs"][0]["shape"] == [12, 20]


def test_check_and_list_know_them(tmp_path):
    models = tmp_path / "workloads" / "models"
    models.mkdir(parents=True)
    (models / "topology.csv").write_text(CONVOLUTIONS)
    environment = {"QSIM_PATH": str(tmp_path)}
    listed = json.loads(qsim("list", "--json", env=environment).stdout)["workloads"]
    assert {"name": "topology", "description": "SCALE-Sim topology"} in listed
    result = json.loads(qsim("check", "--json", "--workload", "topology", env=environment).stdout)
    assert result["summary"]["supported"] == 3
    (models / "topology.csv").write_text(CONVOLUTIONS + "bad,1,2,\n")
    run = qsim("check", "--json", "--workload", "topology", env=environment)
    assert run.returncode == 1
    (bad,) = [node for node in json.loads(run.stdout)["nodes"] if node["status"] == "unsupported"]
    assert bad["name"] == "bad" and bad["place"] == "line 5"
    assert "2 numbers" in bad["reason"] and "docs/readers.md" in bad["remedy"]
