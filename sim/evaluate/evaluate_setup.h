// What of a network and a data set an evaluation uses; whether they fit together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/dataset/dataset.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// The input that images fill and the output that holds the scores.
struct EvaluationPorts {
  std::size_t input = 0;   ///< Index in graph.inputs.
  std::size_t output = 0;  ///< Index in graph.outputs.
  std::int64_t classes = 0;
  /// The input of the softmax that the scores come from, through what only stores or shapes them otherwise;
  /// without a softmax the scores.
  TensorId logits = kNoTensor;
};

/// `output` names the output with the scores; empty: the only one. Throws InputError where there is no single
/// image input, no such output, or no output with one score a class.
[[nodiscard]] EvaluationPorts find_ports(const Graph& graph, const std::string& output);

/// Images to run, ascending: all, or `limit` of them spread evenly (sets are often sorted by class): number i
/// is floor(i * size / limit). A limit of 0, or above the size, takes all. Where `rows` names any, these.
[[nodiscard]] std::vector<std::int64_t> choose_images(const Dataset& data, std::int64_t limit,
                                                      const std::vector<std::int64_t>& rows);

/// Throws InputError for the first image whose label + `offset` is no class of the network.
void check_labels(const Dataset& data, const std::vector<std::int64_t>& chosen, std::int64_t classes,
                  std::int64_t offset);

}  // namespace qsim
