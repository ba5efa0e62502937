// Where the constants of a workload file get their values: a safetensors file beside it, the generator, or a
// list in the file itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/json_reader.h"
#include "workloads/formats/safetensors.h"
#include "workloads/graph/generator.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Collects how every constant is to be filled while the file is read, and fills them once it is known to be
/// right: nothing is allocated for a workload that has problems.
class ConstantSources {
 public:
  /// `tensors` is the file's "tensors" entry (nullptr: generated, normal, seed 0); file names in it are
  /// relative to the folder of `problems.file()`.
  ConstantSources(const nlohmann::ordered_json* tensors, ProblemList& problems);

  /// Notes constant `id`, reading "values", "generator", "mean", "deviation", "low" and "high" from its
  /// description. `deviation_256ths` is the default deviation; `path` the JSON path of the description.
  void add(const Graph& graph, TensorId id, JsonObject& description, const std::string& path,
           std::int64_t deviation_256ths);
  /// The same for a constant that has no description of its own ("bias": true).
  void add(const Graph& graph, TensorId id, const std::string& path, std::int64_t deviation_256ths);
  /// Gives every constant its values, but for those that a problem was reported for. Values that do not fit
  /// their bit width are problems.
  void fill(Graph& graph, ProblemList& problems);
  /// Constants that have no values: a problem was reported for each.
  [[nodiscard]] std::vector<TensorId> unfilled() const;

 private:
  struct FromFile {};
  using Source = std::variant<FromFile, NormalValues, UniformValues, SignValues, std::vector<std::int64_t>,
                              std::vector<float>>;
  struct Entry {
    TensorId id;
    std::string path;
    Source source;
    bool is_broken = false;  ///< A problem was reported for it.
  };
  [[nodiscard]] Source read_source(const Tensor& tensor, JsonObject& description,
                                   std::int64_t deviation_256ths);
  [[nodiscard]] Source read_float_source(const Tensor& tensor, JsonObject& description);
  void check_file_entry(const Tensor& tensor, const std::string& path);
  void count_bytes(const Tensor& tensor, const std::string& path);
  void fill(Tensor& tensor, Entry& entry, ProblemList& problems);

  ProblemList& problems_;
  std::unique_ptr<SafetensorsReader> file_;
  bool wants_file_ = false;  ///< Stays true when the file could not be opened.
  std::string generator_ = "normal";
  std::uint64_t seed_ = 0;
  std::int64_t total_bytes_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace qsim
