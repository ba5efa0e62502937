"""Writes small .tflite models, one operator or a few, through the schema's published Python package."""

import flatbuffers
import numpy as np
import tflite

TYPES = {
    np.dtype(np.float32): tflite.TensorType.FLOAT32,
    np.dtype(np.int8): tflite.TensorType.INT8,
    np.dtype(np.uint8): tflite.TensorType.UINT8,
    np.dtype(np.int16): tflite.TensorType.INT16,
    np.dtype(np.int32): tflite.TensorType.INT32,
    np.dtype(np.int64): tflite.TensorType.INT64,
}


class ModelWriter:
    """Tensors and operators are numbered in the order of the calls; `bytes()` is the file."""

    def __init__(self):
        self._builder = flatbuffers.Builder(1 << 16)
        self._buffers = [b""]
        self._tensors = []
        self._codes = []
        self._operators = []
        self.inputs = []
        self.outputs = []

    def tensor(self, name, shape, dtype, data=None, scales=None, zero_points=(0,), axis=0):
        """Index of a new tensor; `data` makes it a constant, `scales` a quantized one."""
        builder = self._builder
        buffer = 0
        if data is not None:
            buffer = len(self._buffers)
            self._buffers.append(np.ascontiguousarray(data, dtype).tobytes())
        quantization = None if scales is None else self._quantization(scales, zero_points, axis)
        name_offset = builder.CreateString(name)
        shape_offset = builder.CreateNumpyVector(np.asarray(shape, np.int32))
        tflite.TensorStart(builder)
        tflite.TensorAddShape(builder, shape_offset)
        tflite.TensorAddType(builder, TYPES[np.dtype(dtype)])
        tflite.TensorAddBuffer(builder, buffer)
        tflite.TensorAddName(builder, name_offset)
        if quantization is not None:
            tflite.TensorAddQuantization(builder, quantization)
        self._tensors.append(tflite.TensorEnd(builder))
        return len(self._tensors) - 1

    def _quantization(self, scales, zero_points, axis):
        builder = self._builder
        scale = builder.CreateNumpyVector(np.asarray(scales, np.float32))
        zero_point = builder.CreateNumpyVector(np.asarray(zero_points, np.int64))
        tflite.QuantizationParametersStart(builder)
        tflite.QuantizationParametersAddScale(builder, scale)
        tflite.QuantizationParametersAddZeroPoint(builder, zero_point)
        tflite.QuantizationParametersAddQuantizedDimension(builder, axis)
        return tflite.QuantizationParametersEnd(builder)

    def indices(self, name, values, shape=None):
        """A constant of 32-bit indices."""
        values = np.asarray(values, np.int32)
        return self.tensor(name, values.shape if shape is None else shape, np.int32, values)

    def operator(self, code, inputs, outputs, options=None, version=1, custom="", **fields):
        """`code` names a BuiltinOperator, `options` an options table ("Conv2DOptions"), `fields` are its fields;
        `custom` is the name of a CUSTOM operator."""
        builder = self._builder
        number = getattr(tflite.BuiltinOperator, code)
        if (number, version, custom) not in self._codes:
            self._codes.append((number, version, custom))
        options_offset = None
        if options is not None:
            getattr(tflite, options + "Start")(builder)
            for field, value in fields.items():
                getattr(tflite, options + "Add" + field)(builder, value)
            options_offset = getattr(tflite, options + "End")(builder)
        inputs_offset = builder.CreateNumpyVector(np.asarray(inputs, np.int32))
        outputs_offset = builder.CreateNumpyVector(np.asarray(outputs, np.int32))
        tflite.OperatorStart(builder)
        tflite.OperatorAddOpcodeIndex(builder, self._codes.index((number, version, custom)))
        tflite.OperatorAddInputs(builder, inputs_offset)
        tflite.OperatorAddOutputs(builder, outputs_offset)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, options))
            tflite.OperatorAddBuiltinOptions(builder, options_offset)
        self._operators.append(tflite.OperatorEnd(builder))

    def bytes(self):
        builder = self._builder
        subgraph = self._subgraph()
        codes = self._vector([self._operator_code(*code) for code in self._codes])
        buffers = self._vector([self._buffer(data) for data in self._buffers])
        subgraphs = self._vector([subgraph])
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, subgraphs)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return bytes(builder.Output())

    def _subgraph(self):
        builder = self._builder
        tensors = self._vector(self._tensors)
        operators = self._vector(self._operators)
        inputs = builder.CreateNumpyVector(np.asarray(self.inputs, np.int32))
        outputs = builder.CreateNumpyVector(np.asarray(self.outputs, np.int32))
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, tensors)
        tflite.SubGraphAddInputs(builder, inputs)
        tflite.SubGraphAddOutputs(builder, outputs)
        tflite.SubGraphAddOperators(builder, operators)
        return tflite.SubGraphEnd(builder)

    def _operator_code(self, number, version, custom):
        builder = self._builder
        custom_offset = builder.CreateString(custom) if custom else None
        tflite.OperatorCodeStart(builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(builder, min(number, 127))
        tflite.OperatorCodeAddBuiltinCode(builder, number)
        tflite.OperatorCodeAddVersion(builder, version)
        if custom_offset is not None:
            tflite.OperatorCodeAddCustomCode(builder, custom_offset)
        return tflite.OperatorCodeEnd(builder)

    def _buffer(self, data):
        builder = self._builder
        vector = None
        if data:
            builder.StartVector(1, len(data), 16)
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        tflite.BufferStart(builder)
        if vector is not None:
            tflite.BufferAddData(builder, vector)
        return tflite.BufferEnd(builder)

    def _vector(self, offsets):
        builder = self._builder
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()
