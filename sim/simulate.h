// One call: a chip and a network in, values, cycles, events and data movement out.
#pragma once

#include <map>
#include <string>

#include "hw_models/fidelity.h"
#include "hw_models/hardware_config.h"
#include "sim/result.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// Where the values of a run come from (docs/hw_models.md, "Values").
enum class Values {
  layer,  ///< Each layer at once with the fast kernels.
  tile,   ///< Every operand read from the modelled buffers at the address that the Program says.
  none,   ///< --cost-only: cycles, energy and traffic alone.
};

class Mapper;
class Waveform;
struct CompiledProgram;

struct SimulateOptions {
  Values values = Values::layer;
  std::int64_t inferences = 1;  ///< In sequence.
  int threads = 1;              ///< Of the layer-level kernels; shows in no result.
  bool dump_tensors = false;    ///< Fill RunResult::dump.
  Fidelity fidelity = Fidelity::tile;
  Waveform* waveform = nullptr;    ///< Filled at PE fidelity; may be absent.
  const Mapper* mapper = nullptr;  ///< Chooses the mappings; absent: CostMapper.
};

/// Runs `graph` (validated) on `hardware` (validated) with one value per graph input, in the order of
/// graph.inputs (empty with Values::none). May be called any number of times in one process, one at a time.
/// Throws InputError where the network cannot run on this chip, naming the field to raise and to what.
[[nodiscard]] RunResult simulate(const HardwareConfig& hardware, const Graph& graph,
                                 const std::vector<TensorData>& inputs, const SimulateOptions& options = {});

/// The same of a graph that is compiled already (sim/compiler/compile.h; with images where values are to pass
/// through the memories, which then get the inputs).
[[nodiscard]] RunResult simulate(const HardwareConfig& hardware, const Graph& graph,
                                 CompiledProgram& compiled, const std::vector<TensorData>& inputs,
                                 const SimulateOptions& options);

}  // namespace qsim
