// The operation that the rows of unary.h are functions of.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/parallel_blocks.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/fields.h"
#include "workloads/ops/node_check.h"
#include "workloads/ops/operand_types.h"
#include "workloads/ops/run.h"
#include "workloads/ops/unary.h"

namespace qsim {
namespace {

/// Elements that a thread takes at once.
constexpr std::int64_t kBlockElements = 1 << 14;

/// What holds for all functions with a column is said of each.
std::vector<std::string> make_descriptions() {
  std::vector<std::string> texts;
  for (const UnaryRow& row : unary_rows()) {
    texts.push_back(std::string(row.description) +
                    (row.follows_input ? " The output's quantization is the input's unless given." : "") +
                    (row.is_float_only() ? " Float tensors only." : ""));
  }
  return texts;
}

const std::vector<OpForm>& forms() {
  static const std::vector<std::string> kDescriptions = make_descriptions();
  static const std::vector<OpForm> kUnaryOpForms = [] {
    std::vector<OpForm> made;
    for (const UnaryRow& row : unary_rows()) {
      made.push_back({row.name, kDescriptions[made.size()], UnaryOp{row.kind}});
    }
    return made;
  }();
  return kUnaryOpForms;
}

const UnaryRow& row_of(const Node& node) {
  return unary_row(std::get<UnaryOp>(node.op).kind);
}

std::size_t unary_form(const Graph& /*graph*/, const Node& node) {
  return static_cast<std::size_t>(std::get<UnaryOp>(node.op).kind);
}

void unary_fields(UnaryOp& op, OpFields& fields) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  const std::array<UnaryParameter, 2>& parameters = unary_row(op.kind).parameters;
  const std::array<float*, 2> values{&op.alpha, &op.beta};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const UnaryParameter& p = parameters[i];
    if (p.name.empty()) continue;
    const Field field{p.name.data(), p.description.data(), true, true};
    if (p.is_limit) {
      fields.limit(field, *values[i], p.limitless);
    } else {
      fields.number(field, *values[i], -kLargest, kLargest, p.fallback);
    }
  }
  if (parameters[1].is_limit) fields.expect(op.alpha <= op.beta, "low", "at most \"high\"");
}

void check_unary(const UnaryOp& op, NodeCheck& check) {
  const UnaryRow& row = unary_row(op.kind);
  if (row.is_float_only()) check.expect_float_only();
  if (row.parameters[1].is_limit) {
    check.expect(op.alpha <= op.beta, "bounds", std::to_string(op.alpha) + ", " + std::to_string(op.beta),
                 "a lower bound that is not above the upper one");
  }
  check.expect_activation(check.input(0));
  check.expect_activation(check.output());
  check.expect_same_shape();
}

// ONNX computes with real numbers, and no quotient is formed. TFLite's 16-bit functions of a fixed range: q *
// s
// * 3 * 4096 has 32 bits.
void check_unary_scales(const UnaryOp& op, NodeCheck& check) {
  if (check.graph().semantics == Semantics::onnx) return;
  check.expect_rescaling();
  const UnaryRow& row = unary_row(op.kind);
  const Quantization& x = *check.input(0).quantization;
  if (row.scales_by_alpha) {
    check.expect_quotient(std::abs(op.alpha) * x.scale() / check.output().quantization->scale(),
                          "alpha x input scale / output scale");
  }
  if (!row.range || x.bits <= 8) return;
  const double largest =
      std::ldexp(static_cast<double>(x.scale()) * 3.0 * 4096.0, x.bits - (x.is_signed ? 1 : 0));
  check.expect(largest < std::numeric_limits<std::int32_t>::max(), "input scale",
               fmt::format("{:g}", x.scale()),
               fmt::format("less than {:g}", static_cast<double>(x.scale()) / largest * 2147483647.0),
               "logistic and tanh are flat long before");
}

OutputGrid unary_grid(const UnaryOp& op, Semantics /*semantics*/) {
  return unary_row(op.kind).follows_input ? OutputGrid::follows : OutputGrid::own;
}

bool unary_keeps_factors(const UnaryOp& op, const Shape& /*input*/) {
  return unary_row(op.kind).keeps_factors;
}

std::optional<RealRange> unary_range(const UnaryOp& op) {
  return unary_row(op.kind).range;
}

/// Of a float tensor, which comes to nothing here, some type.
arithmetic::QuantizedType type_of(const Tensor& tensor) {
  return tensor.quantization ? quantized_type(tensor) : arithmetic::QuantizedType{};
}

std::string obstacle(const Graph& graph, const Node& node) {
  return unary_obstacle(std::get<UnaryOp>(node.op), graph.semantics, type_of(graph.tensor(node.inputs[0])),
                        type_of(graph.tensor(node.outputs[0])));
}

arithmetic::VectorFunction unary_function(const Graph& graph, const Node& node, std::size_t /*input*/) {
  return arithmetic::UnaryFunction(unary_table(std::get<UnaryOp>(node.op), graph.semantics,
                                               quantized_type(graph.tensor(node.inputs[0])),
                                               quantized_type(graph.tensor(node.outputs[0]))));
}

void run_float_unary(const NodeRun& run) {
  const std::span<const float> x = run.input();
  const std::span<float> y = run.result();
  const auto& op = std::get<UnaryOp>(run.node.op);
  const auto apply = row_of(run.node).math.apply;
  for_each_block((run.output.size() + kBlockElements - 1) / kBlockElements, run.threads,
                 [&](std::int64_t block) {
                   const auto begin = static_cast<std::size_t>(block * kBlockElements);
                   const std::size_t count = std::min<std::size_t>(kBlockElements, y.size() - begin);
                   apply(op, x.subspan(begin, count), y.subspan(begin, count));
                 });
}

}  // namespace

extern const OpDefinition kUnary{.forms = forms(),
                                 .form = unary_form,
                                 .fields = column<unary_fields>,
                                 .check = column<check_unary>,
                                 .check_scales = column<check_unary_scales>,
                                 .grid = column<unary_grid>,
                                 .keeps_factors = column<unary_keeps_factors>,
                                 .range = column<unary_range>,
                                 .obstacle = obstacle,
                                 .function = unary_function,
                                 .has_tables = true,
                                 .run_float = run_float_unary};

}  // namespace qsim
