// What a worker process of a comparison does: the reference on an input, a part of a row.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "sim/compare_schemes/compare_schemes.h"
#include "sim/compare_schemes/reference_network.h"
#include "sim/evaluate/evaluate.h"
#include "sim/evaluate/evaluate_setup.h"
#include "sim/evaluate/process_pool.h"

namespace qsim {

/// What all workers know: chosen inputs, and the outputs of the reference.
struct ComparedInputs {
  std::vector<std::int64_t> chosen;  ///< Indices in the data set, or in CompareSetup::inputs.
  std::optional<EvaluationPorts> ports;
  std::vector<std::int64_t> sizes;  ///< Of the reference's outputs.
  std::int64_t elements = 0;        ///< Their sum.

  [[nodiscard]] std::size_t count() const { return chosen.size(); }
};

/// The best classes of an image, best first, -1 behind the last one.
using Classes = std::array<std::int32_t, kTopClasses>;

/// Results by input, in memory that processes share: of the reference, or of a row.
class InputResults {
 public:
  InputResults(std::size_t inputs, std::size_t outputs);

  enum class State : std::uint8_t { not_run, not_read, read };
  struct Input {
    State state = State::not_run;
    Classes classes{};
  };
  [[nodiscard]] Input& input(std::size_t index) const {
    return reinterpret_cast<Input*>(inputs_.data())[index];
  }
  [[nodiscard]] OutputError& error(std::size_t index, std::size_t output) const {
    return reinterpret_cast<OutputError*>(errors_.data())[index * outputs_ + output];
  }

 private:
  std::size_t outputs_;
  SharedMemory inputs_, errors_;
};

/// A text that a worker leaves.
class SharedText {
 public:
  explicit SharedText(std::size_t most_bytes) : memory_(most_bytes + sizeof(std::uint64_t)) {}
  /// Throws std::runtime_error where it is longer than there is room.
  void write(const std::string& text);
  [[nodiscard]] std::string read() const;

 private:
  SharedMemory memory_;
};

/// All that the workers leave for the parent.
struct SharedComparison {
  SharedComparison(std::size_t inputs, std::size_t outputs, std::int64_t elements, std::size_t rows,
                   std::size_t parts);

  InputResults reference;
  SharedMemory reference_values;  ///< Floats: by input, then the outputs one behind the other.
  std::vector<std::unique_ptr<InputResults>> rows;
  std::vector<std::unique_ptr<SharedText>> costs;   ///< By row, JSON.
  std::vector<std::unique_ptr<SharedText>> errors;  ///< By row and part.
  SharedMemory progress;                            ///< std::atomic<std::int64_t>: inferences.
};

/// Runs the reference on one input.
class ReferenceWorker {
 public:
  ReferenceWorker(const CompareSetup& setup, const ComparedInputs& inputs, SharedComparison& shared)
      : setup_(setup), inputs_(inputs), shared_(shared), network_(*setup.reference) {}
  void run(std::size_t index);

 private:
  const CompareSetup& setup_;
  const ComparedInputs& inputs_;
  SharedComparison& shared_;
  ReferenceNetwork network_;
};

/// Runs parts of rows: part 0 has the cost, and each its share of the inputs.
class RowWorker {
 public:
  RowWorker(const CompareSetup& setup, const ComparedInputs& inputs, SharedComparison& shared,
            std::size_t parts);
  ~RowWorker();
  RowWorker(const RowWorker&) = delete;
  RowWorker& operator=(const RowWorker&) = delete;

  void run(std::size_t item);

 private:
  struct Row;
  void prepare(std::size_t row);
  void run_cost(std::size_t row);
  void run_input(std::size_t row, std::size_t index);

  const CompareSetup& setup_;
  const ComparedInputs& inputs_;
  SharedComparison& shared_;
  std::size_t parts_;
  std::unique_ptr<Row> row_;  ///< The last one, ready to run.
};

}  // namespace qsim
