#include "workloads/readers/onnx/onnx_reader.h"

#include <iterator>
#include <stdexcept>

#include "base/error.h"
#include "workloads/readers/onnx/model_reader.h"
#include "workloads/readers/onnx/onnx_model.h"

namespace qsim {
namespace {

constexpr std::size_t kMaxProblems = 20;

}  // namespace

Graph read_onnx(const std::string& path, const ReadOptions& options) {
  OnnxModel model = read_onnx_model(path);
  onnx_format::ModelReading reading = onnx_format::read_model(model, options);
  std::vector<Problem> problems = std::move(reading.problems);
  for (onnx_format::NodeOutcome& node : reading.nodes)
    std::move(node.problems.begin(), node.problems.end(), std::back_inserter(problems));
  if (problems.size() > kMaxProblems) problems.resize(kMaxProblems);
  if (!problems.empty()) throw InputError(problems);
  for (const onnx_format::NodeOutcome& node : reading.nodes) {
    if (node.kind == onnx_format::NodeOutcome::Kind::hidden)
      throw std::logic_error("a node of an ONNX model is hidden by no problem");
  }
  validate(reading.graph);
  return std::move(reading.graph);
}

}  // namespace qsim
