"""qsim against the reference runtimes on random layers: ONNX Runtime in batches of layers, LiteRT a layer a model.

As a program (scripts/differential) it runs as many as wanted on several processes and counts what differs.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import pathlib
import sys
import tempfile
import time

import numpy as np
from onnx_layers import make_batch
from onnxruntime_reference import description, run_onnxruntime
from qsim_tensors import read_safetensors, run_qsim

LAYERS_A_MODEL = 25
WIDE_ACCUMULATORS = ("--set", "accumulators.width_bits=48")  # TFLite's int16 kernels sum in 64 bits.


@dataclasses.dataclass
class Tally:
    """What was compared, by operator."""

    layers: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    values: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    mismatches: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    first: dict = dataclasses.field(default_factory=dict)  # operator -> how to see it again

    def compare(self, operator, found, wanted, origin):
        self.layers[operator] += 1
        self.values[operator] += wanted.size
        if (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
            different = max(wanted.size, 1)
        else:
            different = np.count_nonzero(bits(found) != bits(wanted))
        if different:
            self.mismatches[operator] += int(different)
            self.first.setdefault(operator, origin)

    def add(self, other):
        self.layers += other.layers
        self.values += other.values
        self.mismatches += other.mismatches
        for operator, origin in other.first.items():
            self.first.setdefault(operator, origin)


def bits(array):
    """Values to compare bit for bit: floats as their patterns."""
    return array.view(np.uint32) if array.dtype == np.float32 else array


def compare_onnx_batch(dtype, seed, layers, operators=None, form="qoperator"):
    """One model of `layers` layers through ONNX Runtime and through qsim."""
    batch = make_batch(dtype, seed, layers, operators, form)
    model = batch.model()
    wanted = run_onnxruntime(model, batch.values)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "layers.onnx").write_bytes(model.SerializeToString())
        arguments = ["--workload", folder / "layers.onnx", "--quiet", "--threads", 1, "--outputs", folder / "y.safetensors"]
        for input_name, value in batch.values.items():
            np.save(folder / f"{input_name}.npy", value)
            arguments += ["--input", f"{input_name}={folder / input_name}.npy"]
        tally = Tally()
        try:
            run_qsim(*arguments)
        except AssertionError as error:
            # A difference, too; the others are still compared.
            tally.compare("refused by qsim", np.zeros(0), np.zeros(1), f"seed {seed}, {layers} layers, {form} {dtype}: {error}")
            return tally
        found = read_safetensors(folder / "y.safetensors")
    for index, layer in enumerate(batch.layers):
        tally.compare(f"{layer.operator} {form} {dtype}", found[layer.output], wanted[layer.output],
                      f"seed {seed}, {layers} layers, layer {index}")
    return tally


def compare_litert_model(operator_name, dtype, seed):
    """One model of one operator through LiteRT's reference kernels and through qsim."""
    # Only here, so that a comparison with ONNX Runtime does not load the other runtime.
    import operator_models  # pylint: disable=import-outside-toplevel
    from ai_edge_litert.interpreter import OpResolverType  # pylint: disable=import-outside-toplevel
    from litert_reference import Reference  # pylint: disable=import-outside-toplevel
    from qsim_tensors import dump_tensors  # pylint: disable=import-outside-toplevel
    from test_tflite_operators import random_input  # pylint: disable=import-outside-toplevel

    maker = operator_models.Maker(dtype, seed)
    next(f for f in operator_models.OPERATORS if f.__name__ == operator_name)(maker)
    model = maker.writer.bytes()
    # The set of reference kernels lacks ELU; the optimized set has the only kernel, a table.
    is_elu = operator_name == "elu"
    reference = Reference(model, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES if is_elu else OpResolverType.BUILTIN_REF)
    random = np.random.default_rng(seed)
    values = [random_input(random, detail) for detail in reference.input_details()]
    wanted = reference.run(values)
    with tempfile.TemporaryDirectory() as name:
        path = pathlib.Path(name) / "layer.tflite"
        path.write_bytes(model)
        options = ("--threads", "1") + (WIDE_ACCUMULATORS if dtype == "int16" else ())
        found = dump_tensors(path, list(zip(reference.input_names, values)), pathlib.Path(name), *options)
    tally = Tally()
    tally.layers[f"{operator_name} {dtype}"] = 1
    tensors = Tally()
    for tensor, value in wanted.items():
        tensors.compare(f"{operator_name} {dtype}", found[tensor], value, f"seed {seed}, tensor {tensor}")
    tally.values, tally.mismatches, tally.first = tensors.values, tensors.mismatches, tensors.first
    return tally


# Of six models four have quantized operators, two have them between DequantizeLinear and QuantizeLinear.
KINDS = (("uint8", "qoperator"), ("int8", "qoperator"), ("uint8", "qoperator"), ("int8", "qoperator"), ("uint8", "qdq"),
         ("int8", "qdq"))


def onnx_jobs(layers, seed):
    for index, start in enumerate(range(0, layers, LAYERS_A_MODEL)):
        dtype, form = KINDS[index % len(KINDS)]
        yield compare_onnx_batch, (dtype, seed + index, min(LAYERS_A_MODEL, layers - start), None, form)


def litert_jobs(layers, seed):
    import operator_models  # pylint: disable=import-outside-toplevel
    from test_tflite_operators import NOT_IN_REFERENCE  # pylint: disable=import-outside-toplevel

    cases = [(f.__name__, dtype) for f in operator_models.OPERATORS for dtype in ("int8", "int16")
             if (f.__name__, dtype) not in NOT_IN_REFERENCE]
    for index in range(layers):
        operator, dtype = cases[index % len(cases)]
        yield compare_litert_model, (operator, dtype, seed + index // len(cases))


JOBS = {"onnxruntime": onnx_jobs, "litert": litert_jobs}


def run_all(jobs, processes):
    """The tally of all jobs; progress on a terminal's standard error."""
    total, done, calls = Tally(), 0, list(jobs)
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        for tally in pool.map(call, calls, chunksize=4):
            total.add(tally)
            done += 1
            if sys.stderr.isatty():
                print(f"\r{done} of {len(calls)} models", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return total


def call(job):
    function, arguments = job
    return function(*arguments)


def report(runtime, tally, seconds):
    lines = [f"{runtime}: {tally.layers.total()} layers, {tally.values.total()} values, {tally.mismatches.total()} mismatches, "
             f"{seconds:.0f} s"]
    for operator in sorted(tally.layers):
        line = f"  {operator:<34} {tally.layers[operator]:>7} layers {tally.values[operator]:>10} values " \
               f"{tally.mismatches[operator]:>8} mismatches"
        lines.append(line + (f"  first: {tally.first[operator]}" if operator in tally.first else ""))
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="scripts/differential", description=__doc__.splitlines()[0],
                                     epilog="Exit code 1: something differs. Example: scripts/differential --layers 20000")
    parser.add_argument("--layers", type=int, default=500, help="layers against each runtime (default: 500)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes other layers (default: 0)")
    parser.add_argument("--against", choices=sorted(JOBS), help="one runtime alone (default: all)")
    parser.add_argument("--jobs", type=int, default=None, help="processes (default: one a processor)")
    arguments = parser.parse_args()
    if arguments.layers < 1 or arguments.seed < 0 or (arguments.jobs is not None and arguments.jobs < 1):
        parser.error("--layers and --jobs are at least 1, --seed at least 0")
    mismatches = 0
    for runtime in [arguments.against] if arguments.against else sorted(JOBS, reverse=True):
        if runtime == "onnxruntime":
            print(description(), flush=True)
        start = time.monotonic()
        tally = run_all(JOBS[runtime](arguments.layers, arguments.seed), arguments.jobs)
        print(report(runtime, tally, time.monotonic() - start), flush=True)
        mismatches += tally.mismatches.total()
    return 1 if mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
