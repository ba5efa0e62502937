// Quantization schemes on chips, side by side: what an inference costs and what the outputs lose.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "quantization/calibrate.h"
#include "sim/compare_schemes/scheme_features.h"
#include "sim/compare_schemes/scheme_list.h"
#include "sim/evaluate/accuracy.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/preprocess.h"

namespace qsim {

/// A labelled data set, and what of it is used (EvaluateOptions).
struct ComparedImages {
  const Dataset* data = nullptr;
  Preprocess preprocess;
  std::int64_t limit = 0;
  std::vector<std::int64_t> rows;
  std::int64_t label_offset = 0;
  std::string output;  ///< With the scores; empty: the only one.
};

struct CompareSetup {
  std::vector<ComparedMachine> machines;
  std::vector<NamedScheme> schemes;
  const Graph* reference = nullptr;  ///< Valid; what outputs are held against.
  GraphWith graph_with;              ///< Called in worker processes.
  std::optional<ComparedImages> images;
  /// Without images: inputs of the reference that outputs are computed for.
  CalibrationData inputs;
  bool features = false;  ///< The cost of each scheme, feature by feature.
  int jobs = 1;           ///< Processes.
  std::function<void(std::int64_t done, std::int64_t total)> on_progress;
};

/// How often a network is right.
struct Accuracy {
  Proportion top1;
  std::optional<Proportion> top5;  ///< Where the network has more than five classes.
};

/// A scheme on a chip.
struct ComparedRow {
  std::string hardware, scheme;
  std::string error;            ///< Why it cannot run; then there is nothing else.
  nlohmann::ordered_json cost;  ///< cost_json(), and `features` where they are asked for.
  std::optional<Accuracy> accuracy;
  std::optional<Proportion> agreement;  ///< Images that get the class that the reference gives them.
  std::optional<double> sqnr_db;        ///< Of several outputs the worst one's; absent where all are equal.
  bool is_pareto = false;

  [[nodiscard]] bool runs() const { return error.empty(); }
};

struct SchemeComparison {
  std::vector<ComparedRow> rows;  ///< Machines x schemes, in the order that they are given in.
  std::string workload, source;
  std::int64_t inputs = 0;            ///< That outputs were computed for.
  std::vector<std::string> left_out;  ///< Images that could not be read, and why.
  std::optional<Accuracy> reference;  ///< Of the reference network.
  /// Set where SIGINT, SIGTERM or SIGHUP ended it early; then the rows say nothing.
  int signal = 0;
  std::int64_t done = 0, total = 0;  ///< Inferences.
};

/// Runs every scheme on every machine in worker processes; the result does not depend on their number. The
/// reference's outputs are computed once. A row is on the Pareto front where no other row is at least as good
/// in energy, cycles and loss, and better in one: loss is top-1 with images, else the SQNR of the outputs.
/// The caller must have no other thread.
///
/// Throws InputError where network and data do not fit together, and where no image can be read.
[[nodiscard]] SchemeComparison compare_schemes(const CompareSetup& setup);

}  // namespace qsim
