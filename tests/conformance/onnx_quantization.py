"""Models quantized by ONNX Runtime's own tool."""

import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

TYPES = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}
FORMATS = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}


class Samples(CalibrationDataReader):
    def __init__(self, name, arrays):
        super().__init__()
        self._inputs = iter([{name: array} for array in arrays])

    def get_next(self):
        return next(self._inputs, None)


def preprocess(source, folder):
    """Path of the model with constants folded and batch norm in the convolutions."""
    path = folder / "preprocessed.onnx"
    quant_pre_process(str(source), str(path))
    return path


def quantize(preprocessed, samples, folder, model_format, activations, weights="int8", per_channel=True):
    """The quantized ModelProto and its path."""
    model = onnx.load(preprocessed)
    path = folder / f"{model_format}_{activations}.onnx"
    quantize_static(str(preprocessed), str(path), Samples(model.graph.input[0].name, samples),
                    quant_format=FORMATS[model_format], per_channel=per_channel, activation_type=TYPES[activations],
                    weight_type=TYPES[weights])
    return onnx.load(path), path
