"""ONNX Runtime on the CPU."""

import onnxruntime


def run_onnxruntime(model, values, optimize=True):
    """{output: value}; `values` are the graph inputs' by name."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Integer kernels for int8 activations between conversions too, which x86 leaves to floats by default.
    options.add_session_config_entry("session.qdqisint8allowed", "1")
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, values)))
