#include "workloads/graph/conv_geometry.h"

#include <stdexcept>

namespace qsim {
namespace {

ConvGeometry geometry_of_shapes(const Shape& x, const Shape& w, const Shape& y) {
  ConvGeometry g;
  g.batch = x[0];
  g.in_h = x[1];
  g.in_w = x[2];
  g.in_channels = x[3];
  g.out_h = y[1];
  g.out_w = y[2];
  g.out_channels = y[3];
  g.kernel_h = w[1];
  g.kernel_w = w[2];
  return g;
}

}  // namespace

ConvGeometry conv_geometry(const Graph& graph, const Node& node) {
  const Shape& x = graph.tensor(node.inputs[0]).shape;
  const Shape& w = graph.tensor(node.inputs[1]).shape;
  const Shape& y = graph.tensor(node.outputs[0]).shape;
  if (const auto* op = std::get_if<Conv2dOp>(&node.op)) {
    ConvGeometry g = geometry_of_shapes(x, w, y);
    g.stride_h = op->stride_h;
    g.stride_w = op->stride_w;
    g.dilation_h = op->dilation_h;
    g.dilation_w = op->dilation_w;
    g.pad_top = op->pad_top;
    g.pad_left = op->pad_left;
    g.groups = op->groups;
    return g;
  }
  if (const auto* op = std::get_if<TransposeConv2dOp>(&node.op)) {
    ConvGeometry g = geometry_of_shapes(x, w, y);
    g.pad_top = g.kernel_h - 1 - op->pad_top;
    g.pad_left = g.kernel_w - 1 - op->pad_left;
    g.insert_h = op->stride_h;
    g.insert_w = op->stride_w;
    return g;
  }
  if (std::holds_alternative<FullyConnectedOp>(node.op)) {
    ConvGeometry g;
    g.in_channels = w[1];
    g.in_w = g.out_w = element_count(x) / w[1];
    g.out_channels = w[0];
    return g;
  }
  throw std::logic_error("conv_geometry: node does not run on the MAC array");
}

}  // namespace qsim
