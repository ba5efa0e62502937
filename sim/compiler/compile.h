// The compiler: a graph and a chip in, a Program and its report rows out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "hw_models/hardware_config.h"
#include "hw_models/program.h"
#include "sim/compiler/layer_mapping.h"
#include "sim/compiler/mapper.h"
#include "sim/compiler/mapping.h"
#include "sim/compiler/memory_map.h"
#include "sim/compiler/schedule.h"
#include "workloads/execute/execute.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// One report row and what the layer-level values need to know of its mapping.
struct CompiledRow {
  std::vector<std::size_t> nodes;
  std::size_t node = 0;           ///< The one that computes.
  std::optional<MacContext> mac;  ///< Rows on the MAC array.
  bool on_host = false;
  bool converts_for_host = false;  ///< Quantize or dequantize whose floats the host makes or reads.
  int accumulator_bits_any_weights = 0;
  LayerMapping mapping;
  MappingCost cost;  ///< As the mapper estimated it, of all parts of a batch.
};

struct CompiledProgram {
  Program program;
  Schedule schedule;
  std::vector<CompiledRow> rows;
  /// Where each graph input, and each tensor that a row produces, lies: by tensor id. Of a batch in parts
  /// (Program::parts) the tensor of a part.
  std::map<TensorId, Placement> placements;
  /// Bytes in DRAM from one part of a graph input or output to the next. Other tensors of all parts lie at
  /// the same place, one part after the other.
  std::map<TensorId, std::int64_t> part_strides;
  std::shared_ptr<const Graph> part_graph;  ///< What one part computes, where there are parts.
  MemoryMap memory_map;                     ///< Of one part.
  MappingCost cost;                         ///< What the mapper minimized, as it estimated it.

  /// Where a tensor of a part lies when the row that makes it is complete.
  [[nodiscard]] Placement placement(TensorId id, std::int64_t part) const {
    Placement found = placements.at(id);
    if (const auto stride = part_strides.find(id); stride != part_strides.end())
      found.dram.base += part * stride->second;
    return found;
  }
};

/// What keeps a graph from running on a chip.
struct CompileProblem {
  std::optional<std::size_t> node;  ///< Index of the node in the graph; absent: the graph as a whole.
  Problem problem;
};

/// A program, or everything that stands against one.
struct CompileOutcome {
  std::optional<CompiledProgram> program;
  std::vector<CompileProblem> problems;
};

/// Compiles a validated graph; `mapper` chooses how each layer is executed. `with_images`: also the bytes of
/// weights, parameters and constants, for runs in which values pass through the modelled memories. Problems
/// of all nodes are found at once; their hints name fields of the chip and the least values with which the
/// graph runs.
[[nodiscard]] CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware,
                                         const Mapper& mapper, bool with_images);

/// The same, with the problems as an InputError.
[[nodiscard]] CompiledProgram compile(const Graph& graph, const HardwareConfig& hardware,
                                      const Mapper& mapper, bool with_images);

/// Both with the cheapest mappings (CostMapper).
[[nodiscard]] CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware,
                                         bool with_images);
[[nodiscard]] CompiledProgram compile(const Graph& graph, const HardwareConfig& hardware, bool with_images);

/// Adds the bytes of a graph input to the program's images (values tile).
void add_input_image(CompiledProgram& compiled, TensorId id, const TensorData& value);

}  // namespace qsim
