#include "workloads/tflite/tflite_reader.h"

#include <filesystem>
#include <fstream>

#include "workloads/error.h"
#include "workloads/support_parts.h"
#include "workloads/tflite/graph_builder.h"

namespace qsim {
namespace {

/// FlatBuffers address 32 bits; data behind them is not read from larger files.
constexpr std::uintmax_t kMaxFileBytes = std::uintmax_t{1} << 31;

std::vector<std::byte> read_file(const std::string& path) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw InputError({path, "", error.message(), "a readable .tflite file", "check the path"});
  if (size > kMaxFileBytes) {
    throw InputError(
        {path, "", std::to_string(size) + " bytes", "at most " + std::to_string(kMaxFileBytes), {}});
  }
  std::vector<std::byte> bytes(size);
  std::ifstream stream(path, std::ios::binary);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!stream) throw InputError({path, "", "a file that cannot be read", "a readable .tflite file", {}});
  return bytes;
}

}  // namespace

Graph read_tflite(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const tflite::FlatBuffer buffer(bytes, path);
  buffer.expect_identifier("TFL3");
  const tflite::Model model = tflite::read_model(buffer);
  Graph graph = tflite::GraphBuilder(model).build();
  graph.name = std::filesystem::path(path).stem().string();
  validate(graph);
  return graph;
}

WorkloadSurvey survey_tflite(const std::string& path) {
  const std::vector<std::byte> bytes = read_file(path);
  const tflite::FlatBuffer buffer(bytes, path);
  buffer.expect_identifier("TFL3");
  const tflite::Model model = tflite::read_model(buffer);
  tflite::ConvertedModel converted = tflite::GraphBuilder(model).convert();
  WorkloadSurvey survey;
  survey.format = WorkloadFormat::tflite;
  survey.name = std::filesystem::path(path).stem().string();
  survey.problems = std::move(converted.problems);
  for (std::size_t i = 0; i < model.operators.size(); ++i) {
    const tflite::ModelOperator& op = model.operators[i];
    tflite::ConvertedOperator& found = converted.operators[i];
    NodeSupport support;
    support.name = model.tensors[static_cast<std::size_t>(op.outputs[0])].name;
    support.op =
        op.code == tflite::OperatorCode::custom ? "custom operator \"" + op.custom_name + '"' : op.name;
    support.place = op.place;
    support.status = found.is_folded ? NodeStatus::folded : NodeStatus::supported;
    support.problems = std::move(found.problems);
    support.graph_node = found.node;
    survey.nodes.push_back(std::move(support));
  }
  converted.graph.name = survey.name;
  finish_survey(survey, std::move(converted.graph), {});
  return survey;
}

}  // namespace qsim
