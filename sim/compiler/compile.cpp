#include "sim/compiler/compile.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/fit.h"
#include "sim/compiler/images.h"
#include "sim/compiler/lower.h"
#include "sim/compiler/plan.h"
#include "workloads/graph/graph_memory.h"

namespace qsim {

namespace {

constexpr std::int64_t kDramAlignment = 64;

/// Ends of the chunks in which the accumulators see the reduction: parts one after the other, each in chunks.
std::vector<std::int64_t> chunk_ends(const GemmNest& nest) {
  const GemmCursor cursor(nest);
  std::vector<std::int64_t> ends;
  std::int64_t done = 0;
  for (std::int64_t p = 0; p < cursor.parts(); ++p) {
    const ChunkCut cut = cursor.chunks(cursor.part(p));
    for (std::int64_t chunk = 0; chunk < cut.count(); ++chunk) {
      done += cut.depth(chunk);
      ends.push_back(done);
    }
  }
  return ends;
}

std::string size_text(const Dims& dims) {
  return std::to_string(dims[kRow]) + "x" + std::to_string(dims[kColumn]) + "x" +
         std::to_string(dims[kChannel]);
}

const char* place_text(const Placement& placement) {
  return placement.resident ? "activation_buffer" : "dram";
}

MappingSummary summarize(const GemmNest& nest) {
  const GemmMapping& mapping = nest.mapping();
  const GemmCursor cursor(nest);
  MappingSummary summary;
  summary.fields = {
      {"unit", "mac_array"},
      {"loop_order", mapping.order == LoopOrder::weights_outer ? "weights_outer" : "activations_outer"},
      {"output_tile", size_text(gemm_output_tile(nest.problem(), mapping))},
      {"pixels_per_pass", std::to_string(mapping.pixels_per_pass)},
      {"column_tile", std::to_string(mapping.column_tile)},
      {"groups_per_tile", std::to_string(mapping.groups_per_tile)},
      {"weight_blocks", std::to_string(cursor.blocks())},
      {"reduction_parts", std::to_string(cursor.parts())},
      {"weights_in", nest.problem().activation_weights ? "activations"
                     : mapping.weights_resident        ? "weight_buffer"
                                                       : "dram"},
      {"input_in", place_text(nest.placement().input)},
      {"output_in", place_text(nest.placement().output)},
  };
  return summary;
}

MappingSummary summarize(const VectorNest& nest) {
  MappingSummary summary;
  summary.fields = {
      {"unit", "vector_unit"},
      {"output_tile", size_text(nest.mapping().tile)},
      {"input_in", place_text(nest.placement().inputs[0])},
      {"output_in", place_text(nest.placement().output)},
  };
  return summary;
}

MappingSummary summarize(const HostNest& nest, std::int64_t macs) {
  std::int64_t read = 0;
  for (const HostTransfer& transfer : nest.problem().reads) read += transfer.bytes;
  MappingSummary summary;
  summary.fields = {
      {"unit", "host"},
      {"host_macs", std::to_string(macs)},
      {"read_bytes", std::to_string(read)},
      {"written_bytes", std::to_string(nest.problem().write.bytes)},
  };
  return summary;
}

class Compiler {
 public:
  Compiler(const Graph& graph, HardwareConfig hardware, bool with_images)
      : graph_(graph), hardware_(std::move(hardware)), with_images_(with_images) {}

  CompileOutcome run() {
    check_run_bytes(graph_, table_bytes(graph_), "lookup tables",
                    "use fewer layers of 16-bit activations, or 8 bits");
    out_.schedule = make_schedule(graph_, hardware_.dma.pixel_granule_bytes);
    look_for_dram();
    lower_rows();
    if (!plan_memory()) return {std::nullopt, std::move(problems_)};
    out_.cost = plan_.cost;
    place_weight_slots();
    place_tensors();
    out_.program.rows = static_cast<std::int32_t>(lowered_.size());
    for (std::size_t r = 0; r < lowered_.size(); ++r) add_row(r);
    place_inputs();
    out_.program.dram_bytes = dram_bytes_;
    check_dram();
    if (!problems_.empty()) return {std::nullopt, std::move(problems_)};
    return {std::move(out_), {}};
  }

 private:
  void report(std::size_t row, Problem problem) {
    const std::size_t node = out_.schedule.rows[row].node;
    problem.file = graph_.source;
    problem.place = graph_.nodes[node].place.empty() ? graph_.nodes[node].name : graph_.nodes[node].place;
    problems_.push_back({node, std::move(problem)});
  }

  /// Rows that want a memory beside the buffers. Where there is none, compilation goes on with one.
  void look_for_dram() {
    lacks_dram_.assign(out_.schedule.rows.size(), false);
    if (hardware_.dram.kind != DramKind::none) return;
    for (std::size_t r = 0; r < lacks_dram_.size(); ++r) {
      const ScheduledOp& row = out_.schedule.rows[r];
      lacks_dram_[r] = row.on_host || std::holds_alternative<MatMulOp>(graph_.nodes[row.node].op);
    }
    if (std::ranges::count(lacks_dram_, true) > 0) hardware_.dram.kind = DramKind::simple;
  }

  void report_dram(std::size_t row) {
    const ScheduledOp& scheduled = out_.schedule.rows[row];
    const std::string op(op_name(graph_, graph_.nodes[scheduled.node]));
    if (scheduled.on_host) {
      report(row, {{},
                   {},
                   op + " on floats, which the host computes",
                   "a chip with a memory that the host reaches",
                   "set dram.kind to simple, or quantize the operation"});
    } else {
      report(row, {{},
                   {},
                   op + " of two activations",
                   "a chip with DRAM, through which the second operand becomes weights",
                   "set dram.kind to simple"});
    }
  }

  /// Rows that no chip can run get no nests.
  void lower_rows() {
    for (std::size_t r = 0; r < out_.schedule.rows.size(); ++r) {
      const ScheduledOp& row = out_.schedule.rows[r];
      if (lacks_dram_[r]) report_dram(r);
      if (!row.on_mac_array && !row.on_host && hardware_.vector_unit.lanes == 0) {
        report(r, {{},
                   {},
                   "no vector unit (vector_unit.lanes of 0)",
                   "one, where " + std::string(op_name(graph_, graph_.nodes[row.node])) + " runs",
                   "set vector_unit.lanes to 1 or more, or fold the operation into others in the model"});
      }
      try {
        lowered_.push_back(lower(graph_, out_.schedule, static_cast<std::int32_t>(r), hardware_));
      } catch (const InputError& error) {
        for (const Problem& problem : error.problems()) report(r, problem);
        lowered_.emplace_back();
        is_lowered_ = false;
      }
    }
  }

  /// Where something does not fit, compilation goes on with a chip on which it would, to find what else is
  /// missing. False where there is no going on.
  bool plan_memory() {
    std::optional<MemoryPlan> plan;
    if (is_lowered_) plan = make_plan(out_.schedule, lowered_, hardware_);
    if (!plan) {
      Misfits misfits = find_misfits(out_.schedule, lowered_, hardware_);
      for (RowMisfit& misfit : misfits.rows) report(misfit.row, std::move(misfit.problem));
      hardware_ = std::move(misfits.mended);
      if (is_lowered_) plan = make_plan(out_.schedule, lowered_, hardware_);
    }
    if (plan) plan_ = std::move(*plan);
    return plan.has_value();
  }

  std::int64_t take_dram(std::int64_t bytes) {
    const std::int64_t address = dram_bytes_;
    dram_bytes_ += ceil_div(bytes, kDramAlignment) * kDramAlignment;
    return address;
  }

  void place_weight_slots() {
    const WeightBufferPlan& weights = plan_.weights;
    out_.program.weight_credits = out_.program.parameter_credits = weights.slots;
    if (weights.resident) return;
    for (std::int64_t s = 0; s < weights.slots; ++s) {
      out_.program.parameter_slots.push_back(s * weights.parameter_slot_bytes);
      out_.program.weight_slots.push_back(weights.slots * weights.parameter_slot_bytes +
                                          s * weights.weight_slot_bytes);
    }
  }

  /// Storages that DRAM holds: everything that does not stay on the chip, and the graph's outputs.
  void place_tensors() {
    dram_address_.assign(out_.schedule.storages.size(), 0);
    if (hardware_.dram.kind == DramKind::none) return;
    for (std::size_t s = 0; s < out_.schedule.storages.size(); ++s) {
      const Storage& storage = out_.schedule.storages[s];
      if (!plan_.resident[s] || storage.is_graph_output) dram_address_[s] = take_dram(storage.bytes);
      if (storage.is_constant && with_images_) {
        const Tensor& tensor = graph_.tensor(storage.root);
        const Dims dims = dims_of(tensor.shape);
        out_.program.dram_image.push_back(
            {dram_address_[s],
             tensor_image(*tensor.data, dims, dense_layout(dims, storage.format, 0, storage.pixel_granule))});
      }
    }
  }

  void set_base(Placement& placement, int storage) const {
    placement.dram.base = dram_address_[static_cast<std::size_t>(storage)];
    const Storage& s = out_.schedule.storages[static_cast<std::size_t>(storage)];
    if (s.is_constant) placement.traffic = Event::dram_read_weight_bytes;
  }

  [[nodiscard]] bool converts_for_host(const Node& node) const {
    const bool to_floats = std::holds_alternative<DequantizeOp>(node.op);
    if (!to_floats && !std::holds_alternative<QuantizeOp>(node.op)) return false;
    const TensorId floats = to_floats ? node.outputs[0] : node.inputs[0];
    const int storage = out_.schedule.storage_of[static_cast<std::size_t>(floats)];
    return storage >= 0 && out_.schedule.storages[static_cast<std::size_t>(storage)].is_host_visible;
  }

  void add_row(std::size_t r) {
    const ScheduledOp& op = out_.schedule.rows[r];
    CompiledRow row;
    row.node = op.node;
    row.nodes = op.nodes;
    row.nest = out_.program.nests.size();
    row.converts_for_host = converts_for_host(graph_.nodes[op.node]);
    for (std::size_t n = 0; n < plan_.nests[r].size(); ++n) {
      std::visit([&](auto& plan) { out_.program.nests.emplace_back(finish(plan, r, n, row)); },
                 plan_.nests[r][n]);
    }
    if (row.converts_for_host) row.mapping.fields.emplace_back("converts_for", "host");
    out_.rows.push_back(std::move(row));
  }

  /// Offsets of the blocks of weights and of parameters.
  static void place_blocks(const GemmProblem& problem, const GemmMapping& mapping, GemmPlacement& placement) {
    const GemmCursor cursor(problem, mapping);
    placement.weight_blocks = {0};
    placement.parameter_blocks = {0};
    for (std::int64_t block = 0; block < cursor.blocks(); ++block) {
      const auto [begin, end] = cursor.block_channels(block);
      placement.parameter_blocks.push_back(placement.parameter_blocks.back() +
                                           problem.parameters.block_bytes(end - begin));
      for (std::int64_t part = 0; part < cursor.parts(); ++part) {
        placement.weight_blocks.push_back(placement.weight_blocks.back() + cursor.block_bytes(block, part));
      }
    }
  }

  void place_in_dram(const GemmProblem& problem, const LoweredRow& lowered, GemmPlacement& placement) {
    placement.parameters_dram_base = take_dram(placement.parameter_blocks.back());
    if (!problem.activation_weights) {
      placement.weights_dram_base = take_dram(placement.weight_blocks.back());
      return;
    }
    const auto storage = static_cast<std::size_t>(lowered.inputs[0][1]);
    placement.weights_dram_base = dram_address_[storage];
    if (!out_.schedule.storages[storage].is_constant)
      placement.weights_traffic = Event::dram_read_activation_bytes;
  }

  void add_images(const GemmNest& nest, const Node& node, const std::vector<std::int64_t>& preload) {
    const bool in_dram = hardware_.dram.kind != DramKind::none;
    const GemmPlacement& placement = nest.placement();
    auto& images = in_dram ? out_.program.dram_image : out_.program.weight_buffer_image;
    images.push_back({in_dram ? placement.parameters_dram_base : placement.parameters_base,
                      parameter_image(graph_, node, nest, preload)});
    if (nest.problem().activation_weights) return;
    images.push_back(
        {in_dram ? placement.weights_dram_base : placement.weights_base, weight_image(graph_, node, nest)});
  }

  GemmNest finish(GemmPlan& plan, std::size_t r, std::size_t n, CompiledRow& row) {
    const LoweredRow& lowered = lowered_[r];
    const auto problem = std::get<std::shared_ptr<const GemmProblem>>(lowered.problems[n]);
    set_base(plan.placement.input, lowered.inputs[0][0]);
    set_base(plan.placement.output, lowered.output);
    place_blocks(*problem, plan.mapping, plan.placement);
    if (hardware_.dram.kind != DramKind::none) place_in_dram(*problem, lowered, plan.placement);
    GemmNest nest(static_cast<std::int32_t>(r), problem, std::move(plan.mapping), std::move(plan.placement));
    nest.weights_loaded = hardware_.dram.kind != DramKind::none;
    if (with_images_) add_images(nest, graph_.nodes[row.node], lowered.preload);
    row.mac = MacContext{{hardware_.accumulators.width_bits, hardware_.accumulators.overflow},
                         chunk_ends(nest),
                         problem->rounding_profile};
    row.accumulator_bits_worst_case = worst_case_accumulator_bits(*problem, lowered.preload);
    row.mapping = summarize(nest);
    note_placement(graph_.nodes[row.node].outputs[0], nest.placement().output);
    return nest;
  }

  VectorNest finish(VectorPlan& plan, std::size_t r, std::size_t n, CompiledRow& row) {
    const LoweredRow& lowered = lowered_[r];
    for (std::size_t i = 0; i < plan.placement.inputs.size(); ++i)
      set_base(plan.placement.inputs[i], lowered.inputs[n][i]);
    set_base(plan.placement.output, lowered.output);
    VectorNest nest(static_cast<std::int32_t>(r),
                    std::get<std::shared_ptr<const VectorProblem>>(lowered.problems[n]),
                    std::move(plan.mapping), std::move(plan.placement));
    if (n == 0) row.mapping = summarize(nest);
    note_placement(graph_.nodes[row.node].outputs[0], nest.placement().output);
    return nest;
  }

  /// Operands in the order of the node's inputs; constants get their place here.
  HostNest finish(HostMapping mapping, std::size_t r, std::size_t n, CompiledRow& row) {
    const Node& node = graph_.nodes[row.node];
    const auto problem = std::get<std::shared_ptr<const HostProblem>>(lowered_[r].problems[n]);
    HostPlacement placement;
    for (const TensorId id : node.inputs) {
      if (id == kNoTensor) continue;
      const Tensor& tensor = graph_.tensor(id);
      if (!tensor.is_constant()) {
        placement.reads.push_back(
            dram_address_[static_cast<std::size_t>(out_.schedule.storage_of[static_cast<std::size_t>(id)])]);
        continue;
      }
      placement.reads.push_back(take_dram(problem->reads[placement.reads.size()].bytes));
      if (with_images_) out_.program.dram_image.push_back({placement.reads.back(), tensor.data->bytes});
    }
    placement.write = dram_address_[static_cast<std::size_t>(lowered_[r].output)];
    row.on_host = true;
    const TensorId output = node.outputs[0];
    Placement whole = unplaced(view_of(out_.schedule, output, dims_of(graph_.tensor(output).shape)));
    whole.dram.base = placement.write;
    note_placement(output, whole);
    HostNest nest(static_cast<std::int32_t>(r), problem, mapping, std::move(placement));
    row.mapping = summarize(nest, mac_count(graph_, node));
    return nest;
  }

  void note_placement(TensorId id, const Placement& placement) { out_.placements[id] = placement; }

  void place_inputs() {
    for (const TensorId id : graph_.inputs) {
      const int storage = out_.schedule.storage_of[static_cast<std::size_t>(id)];
      const auto index = static_cast<std::size_t>(storage);
      Placement placement = unplaced(view_of(out_.schedule, id, dims_of(graph_.tensor(id).shape)));
      placement.resident = plan_.resident[index];
      placement.dram.base = dram_address_[index];
      placement.buffer.base = plan_.address[index];
      note_placement(id, placement);
    }
    if (hardware_.dram.kind != DramKind::none || !with_images_) return;
    for (std::size_t s = 0; s < out_.schedule.storages.size(); ++s) {
      const Storage& storage = out_.schedule.storages[s];
      if (!storage.is_constant) continue;
      const Tensor& tensor = graph_.tensor(storage.root);
      const Dims dims = dims_of(tensor.shape);
      out_.program.activation_buffer_image.push_back(
          {plan_.address[s],
           tensor_image(*tensor.data, dims, dense_layout(dims, storage.format, 0, storage.pixel_granule))});
    }
  }

  void check_dram() {
    if (hardware_.dram.kind == DramKind::none) return;
    const std::int64_t capacity = hardware_.dram.capacity_mib;
    const std::int64_t needed = ceil_div(dram_bytes_, std::int64_t{1} << 20);
    if (needed > capacity) {
      problems_.push_back({std::nullopt,
                           {graph_.source, "dram.capacity_mib", std::to_string(capacity) + " MiB",
                            "at least " + std::to_string(needed) + " MiB for weights and activations",
                            "raise dram.capacity_mib to " + std::to_string(needed)}});
    }
  }

  const Graph& graph_;
  HardwareConfig hardware_;
  bool with_images_;
  std::vector<bool> lacks_dram_;  ///< By row.
  bool is_lowered_ = true;
  std::vector<CompileProblem> problems_;
  CompiledProgram out_;
  std::vector<LoweredRow> lowered_;
  MemoryPlan plan_;
  std::vector<std::int64_t> dram_address_;
  std::int64_t dram_bytes_ = 0;
};

}  // namespace

CompileOutcome try_compile(const Graph& graph, const HardwareConfig& hardware, bool with_images) {
  return Compiler(graph, hardware, with_images).run();
}

CompiledProgram compile(const Graph& graph, const HardwareConfig& hardware, bool with_images) {
  CompileOutcome outcome = try_compile(graph, hardware, with_images);
  if (outcome.program) return std::move(*outcome.program);
  std::vector<Problem> problems;
  for (CompileProblem& found : outcome.problems) problems.push_back(std::move(found.problem));
  throw InputError(std::move(problems));
}

void add_input_image(CompiledProgram& compiled, TensorId id, const TensorData& value) {
  const Placement& placement = compiled.placements.at(id);
  const TensorLayout& layout = placement.resident ? placement.buffer : placement.dram;
  auto& images = placement.resident ? compiled.program.activation_buffer_image : compiled.program.dram_image;
  images.push_back({layout.base, tensor_image(value, placement.dims, layout)});
}

}  // namespace qsim
