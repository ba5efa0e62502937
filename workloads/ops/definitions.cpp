// The table of operations, and questions that a row answers.
#include <algorithm>

#include "workloads/ops/definition.h"

namespace qsim {

// The rows, by file.
extern const OpDefinition kConv2d, kTransposeConv2d, kFullyConnected;  // mac.cpp
extern const OpDefinition kMatMul;                                     // matmul.cpp
extern const OpDefinition kBinary, kPRelu;                             // binary.cpp
extern const OpDefinition kUnary;                                      // unary_op.cpp
extern const OpDefinition kPool2d;                                     // pool.cpp
extern const OpDefinition kMean;                                       // mean.cpp
extern const OpDefinition kPad, kStridedSlice, kReshape, kTranspose;   // move.cpp
extern const OpDefinition kConcat;                                     // concat.cpp
extern const OpDefinition kSoftmax;                                    // softmax.cpp
extern const OpDefinition kBatchNorm;                                  // batch_norm.cpp
extern const OpDefinition kLayerNorm;                                  // layer_norm.cpp
extern const OpDefinition kResize;                                     // resize.cpp
extern const OpDefinition kQuantize, kDequantize, kDynamicQuantize;    // quantize.cpp

namespace {

/// In the order of the alternatives of Op.
constexpr std::array<const OpDefinition*, std::variant_size_v<Op>> kDefinitions{
    &kConv2d,    &kTransposeConv2d, &kFullyConnected, &kBinary,    &kPool2d, &kMean,
    &kPad,       &kStridedSlice,    &kReshape,        &kTranspose, &kConcat, &kSoftmax,
    &kUnary,     &kQuantize,        &kDequantize,     &kMatMul,    &kPRelu,  &kBatchNorm,
    &kLayerNorm, &kResize,          &kDynamicQuantize};

}  // namespace

const OpDefinition& definition(const Op& op) {
  return *kDefinitions[op.index()];
}

std::span<const OpDefinition* const> definitions() {
  return kDefinitions;
}

const OpForm* find_form(std::string_view name) {
  for (const OpDefinition* row : kDefinitions) {
    const auto found = std::ranges::find(row->forms, name, &OpForm::name);
    if (found != row->forms.end()) return &*found;
  }
  return nullptr;
}

const OpForm& form_of(const Graph& graph, const Node& node) {
  const OpDefinition& row = definition(node.op);
  return row.forms[row.form == nullptr ? 0 : row.form(graph, node)];
}

const std::vector<std::string>& op_names() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const OpDefinition* row : kDefinitions) {
      for (const OpForm& form : row->forms) names.emplace_back(form.name);
    }
    return names;
  }();
  return kNames;
}

OutputGrid output_grid(const Op& op, Semantics semantics) {
  const OpDefinition& row = definition(op);
  return row.grid == nullptr ? OutputGrid::own : row.grid(op, semantics);
}

bool keeps_integers(const Op& op, Semantics semantics) {
  return output_grid(op, semantics) >= OutputGrid::copied;
}

std::optional<RealRange> value_range(const Op& op) {
  const OpDefinition& row = definition(op);
  return row.range == nullptr ? std::nullopt : row.range(op);
}

Quantization tflite_fixed_grid(const RealRange& range, int bits) {
  Quantization q;
  const bool has_sign = range.low < 0.0F;
  q.bits = bits;
  if (bits > 8) {
    q.scales = {1.0F / 32768.0F};
  } else {
    q.scales = {has_sign ? 1.0F / 128.0F : 1.0F / 256.0F};
    q.zero_points = {has_sign ? 0 : -128};
  }
  return q;
}

Activation* fused_activation(Op& op) {
  return std::visit(
      [](auto& concrete) -> Activation* {
        if constexpr (requires { concrete.activation; }) {
          return &concrete.activation;
        } else {
          return nullptr;
        }
      },
      op);
}

const Activation* fused_activation(const Op& op) {
  return std::visit(
      [](const auto& concrete) -> const Activation* {
        if constexpr (requires { concrete.activation; }) {
          return &concrete.activation;
        } else {
          return nullptr;
        }
      },
      op);
}

arithmetic::VectorFunction vector_function(const Graph& graph, const Node& node, std::size_t input) {
  return definition(node.op).function(graph, node, input);
}

VectorAccess vector_access(const Op& op) {
  const OpDefinition& row = definition(op);
  return row.access == nullptr ? VectorAccess{} : row.access(op);
}

}  // namespace qsim
