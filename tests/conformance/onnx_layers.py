"""Random quantized layers against which qsim and ONNX Runtime are compared: every operator, and batches of them.

`scripts/differential --layers 20000` is the long form. What ONNX Runtime's CPU has in quantized form and is not here:
DynamicQuantizeLinear, DynamicQuantizeMatMul, DynamicQuantizeLSTM (scales computed at run time), MatMulIntegerToFloat,
MatMulNBits, GatherBlockQuantized, QAttention, QEmbedLayerNormalization, QMoE (results are floats), QLinearWhere (an input of
booleans). QLinearReduceMean has no CPU kernel, ConvTranspose no quantized form.
"""

from layer_batch import Batch
from onnx_layers_mac import (conv_integer, matmul_integer, matmul_integer16, qgemm, qlinear_conv, qlinear_matmul,
                             qlinear_matmul_activations)
from onnx_layers_vector import (dequantize_linear, max_pool, qlinear_add, qlinear_average_pool, qlinear_concat,
                                qlinear_global_average_pool, qlinear_leaky_relu, qlinear_mul, qlinear_sigmoid, qlinear_softmax,
                                quantize_linear)

OPERATORS = [qlinear_conv, qlinear_matmul, qlinear_matmul_activations, qgemm, qlinear_add, qlinear_mul, qlinear_leaky_relu,
             qlinear_sigmoid, qlinear_softmax, qlinear_concat, qlinear_average_pool, qlinear_global_average_pool, max_pool,
             conv_integer, matmul_integer, matmul_integer16, quantize_linear, dequantize_linear]
# Between DequantizeLinear and QuantizeLinear.
QDQ_OPERATORS = [qlinear_conv, qlinear_matmul, qlinear_matmul_activations, qgemm, qlinear_add, qlinear_mul, qlinear_leaky_relu,
                 qlinear_sigmoid, qlinear_softmax, qlinear_concat, qlinear_average_pool, qlinear_global_average_pool]
# Of every ten layers this many are convolutions: they have the most parameters.
CONVOLUTIONS_OF_TEN = 4


def make_batch(dtype, seed, layers, operators=None, form="qoperator"):
    """A batch of `layers` random layers; the same arguments make the same batch."""
    batch = Batch(dtype, seed, form)
    if operators is None:
        operators = QDQ_OPERATORS if form == "qdq" else OPERATORS
    while len(batch.layers) < layers:
        wants_conv = batch.draw(0, 9) < CONVOLUTIONS_OF_TEN and qlinear_conv in operators
        (qlinear_conv if wants_conv else batch.choose(*operators))(batch)
    return batch
