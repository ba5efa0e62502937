#include "workloads/readers/tflite/graph_builder.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/error.h"
#include "workloads/readers/tflite/operator_context.h"
#include "workloads/readers/tflite/operator_table.h"

namespace qsim::tflite {
namespace {

constexpr std::size_t kMaxProblems = 20;

}  // namespace

Graph GraphBuilder::build() {
  ConvertedModel converted = convert();
  std::vector<Problem> problems = std::move(converted.problems);
  for (ConvertedOperator& converted_operator : converted.operators) {
    if (problems.size() >= kMaxProblems) break;
    for (Problem& problem : converted_operator.problems) problems.push_back(std::move(problem));
  }
  if (!problems.empty()) throw InputError(problems);
  return std::move(converted.graph);
}

ConvertedModel GraphBuilder::convert() {
  ConvertedModel converted;
  graph_.source = model_.file;
  graph_.semantics = Semantics::tflite;
  const std::string inputs = "subgraph 0 inputs";
  const std::string outputs = "subgraph 0 outputs";
  const auto collect = [&](const auto& action) {
    try {
      action();
    } catch (const InputError& error) {
      std::ranges::copy(error.problems(), std::back_inserter(converted.problems));
    }
  };
  for (const std::int32_t index : model_.inputs) {
    collect([&] { graph_.inputs.push_back(use(index, inputs)); });
  }
  std::set<std::int32_t> missing;  // What operators with problems would have made.
  for (const ModelOperator& op : model_.operators) {
    converted.operators.push_back(try_converting(op));
    if (!converted.operators.back().problems.empty()) missing.insert(op.outputs.begin(), op.outputs.end());
  }
  for (const std::int32_t index : model_.outputs) {
    if (missing.count(index) == 0) collect([&] { graph_.outputs.push_back(use(index, outputs)); });
  }
  if (model_.subgraph_count > 1) {
    graph_.provenance.push_back("subgraph 0 of " + std::to_string(model_.subgraph_count) +
                                " is the workload");
  }
  converted.graph = std::move(graph_);
  return converted;
}

ConvertedOperator GraphBuilder::try_converting(const ModelOperator& op) {
  ConvertedOperator result;
  result.first_node = graph_.nodes.size();
  try {
    result.is_folded = fold(op);
    if (result.is_folded) {
      graph_.folded_nodes.push_back(model_.tensors[static_cast<std::size_t>(op.outputs[0])].name);
    } else {
      read(op);
      result.first_output = ids_.at(op.outputs[0]);
    }
  } catch (const InputError& error) {
    result.problems = error.problems();
    for (Problem& problem : result.problems) {
      if (problem.place.empty()) problem.place = op.place;
    }
    graph_.nodes.erase(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(result.first_node),
                       graph_.nodes.end());
  }
  result.end_node = graph_.nodes.size();
  return result;
}

TensorId GraphBuilder::use(std::int32_t index, const std::string& place) {
  if (index < 0) return kNoTensor;
  const auto found = ids_.find(index);
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<TensorId>(graph_.tensors.size());
  graph_.tensors.push_back(make_tensor(model_.tensors[static_cast<std::size_t>(index)], place));
  ids_[index] = id;
  return id;
}

/// Arithmetic on shapes: one output of integers.
bool GraphBuilder::fold(const ModelOperator& op) {
  const OperatorRow* row = find_operator(op.code);
  if (row == nullptr || row->fold == nullptr) return false;
  if (op.outputs.size() != 1 || op.inputs.empty() || op.inputs[0] < 0) return false;
  const ElementCode type = model_.tensors[static_cast<std::size_t>(op.outputs[0])].type;
  if (type != ElementCode::INT32 && type != ElementCode::INT64) return false;
  std::optional<IndexConstant> value = row->fold(OperatorContext(*this, op));
  if (!value) return false;
  folded_[op.outputs[0]] = std::move(*value);
  return true;
}

void GraphBuilder::read(const ModelOperator& op) {
  OperatorContext context(*this, op);
  const OperatorRow* row = find_operator(op.code);
  if (row != nullptr && row->read != nullptr) return row->read(context);
  const bool is_custom = op.code == kCustomOperator;
  context.fail("",
               is_custom ? "a custom operator, which is not supported" : "an operator that is not supported",
               "convolutions, fully connected layers, elementwise arithmetic, pooling, activations or data "
               "movement",
               "end the network before it, or replace it by supported operators and convert again");
}

}  // namespace qsim::tflite
