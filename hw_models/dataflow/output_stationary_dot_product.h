// Outputs stay on a dot product: the same name in a chip's JSON as on a systolic array, another dataflow.
#pragma once

#include "hw_models/dataflow/dataflow_model.h"

namespace qsim {

[[nodiscard]] const DataflowModel& output_stationary_dot_product();

}  // namespace qsim
