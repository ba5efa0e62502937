#include "sim/cli/command_list.h"

#include "sim/cli/commands/accumulators_command.h"
#include "sim/cli/commands/check_command.h"
#include "sim/cli/commands/compare_command.h"
#include "sim/cli/commands/compare_outputs_command.h"
#include "sim/cli/commands/convert_command.h"
#include "sim/cli/commands/evaluate_command.h"
#include "sim/cli/commands/explain_command.h"
#include "sim/cli/commands/help_command.h"
#include "sim/cli/commands/list_command.h"
#include "sim/cli/commands/memory_map_command.h"
#include "sim/cli/commands/quantize_command.h"
#include "sim/cli/commands/report_command.h"
#include "sim/cli/commands/roofline_command.h"
#include "sim/cli/commands/run_command.h"

namespace qsim::cli {

std::vector<Command> all_commands() {
  return {
      run_command(),        check_command(),        explain_command(),         roofline_command(),
      memory_map_command(), accumulators_command(), evaluate_command(),        compare_command(),
      quantize_command(),   convert_command(),      compare_outputs_command(), report_command(),
      list_command(),       help_command(),
  };
}

}  // namespace qsim::cli
