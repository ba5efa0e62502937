// The dataflows that there are: a row each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "hw_models/dataflow/dataflow_model.h"

namespace qsim {

struct DataflowRow {
  Dataflow dataflow{};
  const char* name = nullptr;  ///< In the hardware JSON: mac_array.dataflow.
  const DataflowModel& (*model)(Organization) = nullptr;
};

/// In the order of the enumerators.
[[nodiscard]] std::span<const DataflowRow> dataflow_table();
[[nodiscard]] std::vector<std::string> dataflow_names();

/// The object of a dataflow on arrays of an organization; it lives as long as the program.
[[nodiscard]] const DataflowModel& dataflow_model(Dataflow dataflow, Organization organization);
[[nodiscard]] inline const DataflowModel& dataflow_model(const MacArrayConfig& array) {
  return dataflow_model(array.dataflow, array.organization);
}

// A file each.
[[nodiscard]] const DataflowModel& weight_stationary(Organization organization);
[[nodiscard]] const DataflowModel& input_stationary(Organization organization);
[[nodiscard]] const DataflowModel& output_stationary(Organization organization);

}  // namespace qsim
