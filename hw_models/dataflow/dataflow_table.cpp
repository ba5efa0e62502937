#include "hw_models/dataflow/dataflow_table.h"

#include <array>
#include <cstddef>

namespace qsim {

namespace {

constexpr std::array kDataflows = {
    DataflowRow{Dataflow::weight_stationary, "weight_stationary", weight_stationary},
    DataflowRow{Dataflow::output_stationary, "output_stationary", output_stationary},
    DataflowRow{Dataflow::input_stationary, "input_stationary", input_stationary},
};

constexpr bool rows_are_in_order() {
  for (std::size_t i = 0; i < kDataflows.size(); ++i) {
    if (static_cast<std::size_t>(kDataflows[i].dataflow) != i) return false;
  }
  return true;
}
static_assert(rows_are_in_order(), "a row an enumerator, in their order");

}  // namespace

std::span<const DataflowRow> dataflow_table() {
  return kDataflows;
}

std::vector<std::string> dataflow_names() {
  std::vector<std::string> names;
  for (const DataflowRow& row : kDataflows) names.emplace_back(row.name);
  return names;
}

const DataflowModel& dataflow_model(Dataflow dataflow, Organization organization) {
  return kDataflows[static_cast<std::size_t>(dataflow)].model(organization);
}

}  // namespace qsim
