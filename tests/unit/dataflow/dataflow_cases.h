// Every dataflow on every organization, and passes of random size.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "hw_models/dataflow/dataflow_table.h"

namespace qsim::test {

inline std::vector<MacArrayConfig> all_arrays(std::int64_t rows, std::int64_t columns) {
  std::vector<MacArrayConfig> arrays;
  for (const DataflowRow& row : dataflow_table()) {
    for (const Organization organization : {Organization::systolic, Organization::dot_product}) {
      MacArrayConfig array;
      array.rows = rows;
      array.columns = columns;
      array.organization = organization;
      array.dataflow = row.dataflow;
      arrays.push_back(array);
    }
  }
  return arrays;
}

inline std::string name_of(const MacArrayConfig& array) {
  return std::string(dataflow_table()[static_cast<std::size_t>(array.dataflow)].name) +
         (array.organization == Organization::systolic ? ", systolic" : ", dot product");
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::mt19937_64 engine_;
};

/// A pass of a reduction of `depth` elements in one piece, on an array of `rows` rows.
inline PassShape pass_of(std::int64_t pixels, std::int64_t depth, std::int64_t channels,
                         const MacArrayConfig& array) {
  PassShape pass;
  pass.pixels = pixels;
  pass.depth = depth;
  pass.channels = channels;
  pass.chunks = ChunkCut(ReductionPart{0, 1, 0, 1, 0, depth}, array.rows, array.reduction);
  return pass;
}

/// Steps each `interval` cycles after the one before.
inline StreamCycles even_stream(const DataflowModel& dataflow, const PassShape& pass, std::int64_t interval) {
  const std::int64_t steps = dataflow.steps(pass);
  return {steps * interval, (steps - 1) * interval, (dataflow.steps_a_sum(pass) - 1) * interval};
}

}  // namespace qsim::test
