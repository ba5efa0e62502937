"""ONNX Runtime on the CPU as a reference whose integer sums are exact on every processor.

The first session probes the runtime (reference_probe.py). Where it saturates, every model gets unsigned weights (unsigned_weights.py), which its kernels sum
exactly; the test session's header says so. `QSIM_UNSIGNED_WEIGHTS=1` does the same where it would not be needed. The session option
session.x64quantprecision is no cure: it leaves out MatMulInteger and a scale a column, and some graphs of int8 activations without a kernel.
"""

import functools
import os

import onnx
import onnxruntime
from reference_probe import UnknownArithmetic, measured, saturating
from unsigned_weights import Restated


def plain_session(model, optimize=True, int8=True):
    """The runtime as it is. One thread; `int8`: integer kernels for int8 activations between conversions too, which it leaves to floats on
    x86 by default."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if int8:
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])


def outputs_of(session, values):
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, values), strict=True))


@functools.cache
def inexact_operators():
    """Where this runtime saturates on this processor; probed once a process."""
    found = saturating(measured(lambda model, values: outputs_of(plain_session(model), values)))
    if found:
        still = saturating(measured(lambda model, values: outputs_of(plain_session(Restated(model).model), values)))
        if still:
            raise UnknownArithmetic(f"saturates with unsigned weights too: {', '.join(still)}")
    return tuple(found)


def restates_weights():
    return bool(inexact_operators()) or os.environ.get("QSIM_UNSIGNED_WEIGHTS") == "1"


def description():
    """One line for the header of a test session."""
    inexact = inexact_operators()
    arithmetic = f"saturates pairs of products in {', '.join(inexact)}" if inexact else "sums exactly"
    cure = ": int8 weights beside uint8 activations are given to it as unsigned ones, which it sums exactly" if restates_weights() else ""
    return f"ONNX Runtime {onnxruntime.__version__} on this processor {arithmetic}{cure}"


def session(model, optimize=True, int8=True):
    """A session for a ModelProto, or the path of one, that computes exact sums."""
    if not isinstance(model, onnx.ModelProto):
        model = onnx.load(model)
    return plain_session(Restated(model).model if restates_weights() else model, optimize, int8)


def run_onnxruntime(model, values, optimize=True, int8=True):
    """{output: value}; `values` are the graph inputs' by name."""
    return outputs_of(session(model, optimize, int8), values)
