// Which kernel a float node runs on.
#include <stdexcept>

#include "workloads/execute/float/float_nodes.h"

namespace qsim {
namespace {

/// Data movement is the same for every element type and not dispatched here.
struct FloatDispatch {
  const FloatRun& run;
  const PreparedFloatMac* prepared;

  void operator()(const Conv2dOp& op) const { run_float_mac(run, *prepared, op.activation); }
  void operator()(const TransposeConv2dOp& op) const { run_float_mac(run, *prepared, op.activation); }
  void operator()(const FullyConnectedOp& op) const { run_float_mac(run, *prepared, op.activation); }
  void operator()(const BinaryOp& op) const { run_float_binary(run, op); }
  void operator()(const UnaryOp& op) const { run_float_unary(run, op); }
  void operator()(const Pool2dOp& op) const { run_float_pool(run, op); }
  void operator()(const MeanOp& op) const { run_float_mean(run, op); }
  void operator()(const SoftmaxOp& op) const { run_float_softmax(run, op); }
  void operator()(const LayerNormOp& op) const { run_float_layer_norm(run, op); }
  void operator()(const PReluOp&) const { run_float_prelu(run); }
  void operator()(const BatchNormOp&) const { run_float_batch_norm(run); }
  void operator()(const MatMulOp& op) const { run_float_matmul(run, op); }
  void operator()(const ResizeOp& op) const { run_float_resize(run, op); }
  void operator()(const PadOp&) const { run_pad(run.node, *run.inputs[0], run.output); }
  void operator()(const StridedSliceOp&) const { run_strided_slice(run.node, *run.inputs[0], run.output); }
  void operator()(const ReshapeOp&) const { run.output.bytes = run.inputs[0]->bytes; }
  void operator()(const TransposeOp&) const { run_transpose(run.node, *run.inputs[0], run.output); }
  void operator()(const ConcatOp&) const { run_concat(run.graph, run.node, run.inputs, run.output); }
  void operator()(const DynamicQuantizeOp& op) const { run_dynamic_quantize(run, op); }
  void operator()(const QuantizeOp&) const { throw std::logic_error("quantize is no float node"); }
  void operator()(const DequantizeOp&) const { throw std::logic_error("dequantize is no float node"); }
};

}  // namespace

void run_float_node(const FloatRun& run, const PreparedFloatMac* prepared) {
  std::visit(FloatDispatch{run, prepared}, run.node.op);
}

}  // namespace qsim
