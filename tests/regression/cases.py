"""What is compared: shipped machines and workloads, given models, random programs."""

import json
import os
import pathlib

from compare import Case
from random_programs import random_program

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
ENERGY = CONFIGS / "energy" / "45nm.json"
WORKLOADS = ROOT / "workloads" / "models"
DATA = pathlib.Path(os.environ.get("QSIM_DATA_DIR", ROOT.parent / "shared" / "data"))

SMALL_WORKLOADS = ["resnet8", "resnet"]
# Their values take seconds a run, and PEs one by one minutes.
LARGE = {"resnet18", "resnet50", "mobilenet_v2", "bert_base_layer", "mobilenet_v2_int8", "efficientnet_lite0_float"}
# On small arrays these take minutes and gigabytes: their cost, and on one machine.
HUGE = {"vgg16", "decoder_7b_decode", "decoder_7b_prefill"}
WRITTEN = ["--report", "report.json", "--layers", "layers.csv", "--trace", "trace.json"]
VALUES = ["--outputs", "outputs.safetensors"]
EVERY_VALUE = ["--outputs", "outputs.safetensors", "--dump-tensors", "tensors.safetensors"]


def machines():
    return sorted(CONFIGS.glob("*.json"))


def on_machine(machine, *rest):
    """Both programs read the machine and the energy table of this tree."""
    return ["--hw", machine, "--set", f"energy={ENERGY}", *rest]


def shipped_cases(quick):
    """Every machine by every workload. The text of each run is compared too."""
    for machine in machines():
        for workload in sorted(WORKLOADS.glob("*.json")):
            if quick and workload.stem not in SMALL_WORKLOADS:
                continue
            name = f"{machine.stem}/{workload.stem}"
            base = on_machine(machine, "--workload", workload, *WRITTEN)
            if workload.stem in HUGE and machine.stem != "npu":
                continue
            if workload.stem in LARGE | HUGE:
                yield Case(f"{name} cost", [*base, "--cost-only"])
                continue
            yield Case(name, [*base, *VALUES])
            if not quick:
                yield Case(f"{name} tile values", [*base, *EVERY_VALUE, "--values", "tile", "--inferences", "2"])


def large_value_cases():
    """Values of the large workloads, on one machine, and every PE of the small ones on the smallest array."""
    for workload in sorted(WORKLOADS.glob("*.json")):
        if workload.stem in HUGE:
            continue
        if workload.stem in LARGE:
            yield Case(f"npu/{workload.stem} values",
                       on_machine(CONFIGS / "npu.json", "--workload", workload, *WRITTEN, *VALUES))
        else:
            yield Case(f"npu_small/{workload.stem} pe",
                       on_machine(CONFIGS / "npu_small.json", "--workload", workload, *WRITTEN, *VALUES,
                                  "--fidelity", "pe", "--values", "tile"))


def models():
    folder = DATA / "models"
    return sorted([*folder.rglob("*.tflite"), *folder.rglob("*.onnx")])


def model_cases(quick):
    """Given models: run as they are, their survey, what convert makes of them."""
    for model in models():
        large = model.stem in LARGE
        if quick and large:
            continue
        for machine in ("npu",) if quick else ("npu", "nvdla_small", "scalesim_16_os"):
            cost = ["--cost-only"] if large and machine != "npu" else VALUES
            yield Case(f"{machine}/{model.name}",
                       on_machine(CONFIGS / f"{machine}.json", "--workload", model, *WRITTEN, *cost))
        yield Case(f"check {model.name}", ["check", *on_machine(CONFIGS / "npu.json", "--workload", model)])
        yield Case(f"check {model.name} JSON", ["check", *on_machine(CONFIGS / "npu_small.json", "--workload", model, "--json")])
        yield Case(f"convert {model.name}", ["convert", model, "converted.json"])


def topology_cases():
    """A network in SCALE-Sim's form."""
    rows = ["Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,",
            "conv1, 18, 18, 3, 3, 8, 24, 1,", "conv2, 16, 16, 1, 1, 24, 10, 2,"]
    for machine in machines():
        yield Case(f"{machine.stem}/topology", on_machine(machine, "--workload", "net.csv", *WRITTEN, "--cost-only"),
                   {"net.csv": "\n".join(rows) + "\n"})


def random_cases(programs, seed):
    """Each program by tiles, then by PEs or by layer values; every tensor is compared."""
    for index in range(programs):
        network, machine, options = random_program(seed, index)
        machine["energy"] = str(ENERGY)
        files = {"machine.json": json.dumps(machine), "network.json": json.dumps(network)}
        base = ["--hw", "machine.json", "--workload", "network.json", *options, *WRITTEN]
        yield Case(f"random {seed}-{index} tile values", [*base, *EVERY_VALUE, "--values", "tile"], files)
        other = [[*EVERY_VALUE, "--fidelity", "pe", "--values", "tile"], [*EVERY_VALUE, "--fidelity", "pe"],
                 [*EVERY_VALUE], ["--cost-only"]][index % 4]
        yield Case(f"random {seed}-{index} {' '.join(other[-2:])}", [*base, *other], files)
        if index % 10 == 0:
            yield Case(f"random {seed}-{index} check", ["check", "--hw", "machine.json", "--workload", "network.json", "--json"], files)
        if index % 5 == 0:
            target = ["converted.json", "qoperator.onnx", "qdq.onnx"][index // 5 % 3]
            form = ["--format", "qdq"] if target == "qdq.onnx" else []
            yield Case(f"random {seed}-{index} convert", ["convert", "network.json", target, *form], files)


def all_cases(quick, programs, seed):
    yield from random_cases(programs, seed)
    yield from topology_cases()
    yield from shipped_cases(quick)
    yield from model_cases(quick)
    if not quick:
        yield from large_value_cases()
