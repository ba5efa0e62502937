#include "sim/compiler/program_builder.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/batch_parts.h"
#include "sim/compiler/dram_pitch.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/images.h"
#include "sim/compiler/program_parts.h"
#include "sim/compiler/reduction_parts.h"

namespace qsim {

namespace {

constexpr std::int64_t kDramAlignment = 64;

class ProgramBuilder {
 public:
  ProgramBuilder(const Graph& graph, const std::vector<LoweredRow>& lowered, MemoryPlan plan,
                 const HardwareConfig& hardware, bool with_images, std::vector<std::int64_t> pitches,
                 CompiledProgram& out)
      : graph_(graph),
        lowered_(lowered),
        plan_(std::move(plan)),
        hardware_(hardware),
        with_images_(with_images),
        pitches_(std::move(pitches)),
        out_(out) {}

  void run() {
    place_weight_slots();
    place_tensors();
    out_.program.rows = static_cast<std::int32_t>(lowered_.size()) * out_.program.parts;
    for (std::size_t r = 0; r < lowered_.size(); ++r) {
      std::vector<Nest> nests = add_row(r);
      const auto chain = std::ranges::find_if(plan_.chains, [&](const auto& own) { return own.contains(r); });
      if (chain == plan_.chains.end()) {
        std::ranges::move(nests, std::back_inserter(out_.program.nests));
        continue;
      }
      of_chain_.push_back(std::move(nests.front()));
      if (r != chain->chain.last) continue;
      add_stripes(*chain);
      note_fusion(*chain);
    }
    place_inputs();
    out_.memory_map = make_memory_map(graph_, out_.schedule, lowered_, plan_, hardware_, out_.program.nests);
    repeat_for_parts(graph_, lowered_, part_stride_, out_);
    out_.program.dram_bytes = dram_bytes_;
  }

 private:
  std::int64_t take_dram(std::int64_t bytes) {
    const std::int64_t address = dram_bytes_;
    dram_bytes_ += ceil_div(bytes, kDramAlignment) * kDramAlignment;
    return address;
  }

  void place_weight_slots() {
    const WeightBufferPlan& weights = plan_.weights;
    out_.program.weight_credits = out_.program.parameter_credits = weights.slots;
    for (std::int64_t s = 0; s < weights.slots; ++s) {
      out_.program.parameter_slots.push_back(weights.slots_begin + s * weights.parameter_slot_bytes);
      out_.program.weight_slots.push_back(weights.slots_begin + weights.slots * weights.parameter_slot_bytes +
                                          s * weights.weight_slot_bytes);
    }
  }

  /// Storages that DRAM holds: everything that does not stay on the chip, and the graph's outputs. Inputs and
  /// outputs of the parts of a batch lie one behind the other, what is between at the same place for all.
  void place_tensors() {
    dram_address_.assign(out_.schedule.storages.size(), 0);
    part_stride_.assign(out_.schedule.storages.size(), 0);
    if (hardware_.dram.kind == DramKind::none) return;
    for (std::size_t s = 0; s < out_.schedule.storages.size(); ++s) {
      const Storage& storage = out_.schedule.storages[s];
      if (storage.is_passed) continue;
      if (plan_.stays[s] != Stay::kept || storage.is_graph_output) {
        if (pitches_[s] > 0) dram_bytes_ = ceil_div(dram_bytes_, pitches_[s]) * pitches_[s];
        dram_address_[s] = take_dram(dram_bytes_of(s));
        const bool is_of_parts = (storage.is_graph_input || storage.is_graph_output) && !storage.is_constant;
        if (is_of_parts && out_.program.parts > 1) {
          part_stride_[s] = dram_bytes_ - dram_address_[s];
          take_dram((out_.program.parts - 1) * part_stride_[s]);
        }
      }
      if (storage.is_constant && with_images_) {
        const Tensor& tensor = graph_.tensor(storage.root);
        const Dims dims = dims_of(tensor.shape);
        out_.program.dram_image.push_back(
            {dram_address_[s],
             tensor_image(*tensor.data, dims, dense_layout(dims, storage.format, 0, storage.pixel_granule))});
      }
    }
  }

  [[nodiscard]] std::int64_t dram_bytes_of(std::size_t s) const {
    const Storage& storage = out_.schedule.storages[s];
    if (pitches_[s] == 0) return storage.bytes;
    return dense_bytes(dims_of(graph_.tensor(storage.root).shape), storage.format, pitches_[s]);
  }

  void set_base(Placement& placement, int storage) const {
    const auto index = static_cast<std::size_t>(storage);
    const Storage& s = out_.schedule.storages[index];
    if (pitches_[index] > 0) placement.dram = dense_layout(placement.dims, s.format, 0, pitches_[index]);
    placement.dram.base = dram_address_[index];
    if (s.is_constant) placement.traffic = Event::dram_read_weight_bytes;
  }

  [[nodiscard]] bool converts_for_host(const Node& node) const {
    const bool to_floats = std::holds_alternative<DequantizeOp>(node.op);
    if (!to_floats && !std::holds_alternative<QuantizeOp>(node.op)) return false;
    const TensorId floats = to_floats ? node.outputs[0] : node.inputs[0];
    const int storage = out_.schedule.storage_of[static_cast<std::size_t>(floats)];
    return storage >= 0 && out_.schedule.storages[static_cast<std::size_t>(storage)].is_host_visible;
  }

  /// The nests of a row, one behind the other.
  std::vector<Nest> add_row(std::size_t r) {
    const ScheduledOp& op = out_.schedule.rows[r];
    CompiledRow row;
    row.node = op.node;
    row.nodes = op.nodes;
    row.converts_for_host = converts_for_host(graph_.nodes[op.node]);
    std::vector<Nest> nests;
    for (std::size_t n = 0; n < plan_.nests[r].size(); ++n)
      std::visit([&](auto& plan) { nests.emplace_back(finish(plan, r, n, row)); }, plan_.nests[r][n]);
    if (plan_.nests[r].empty()) row.mapping = mapping_on_way_out(r);
    const std::int64_t images = graph_.batch * out_.program.parts > 1 ? graph_.batch : 0;
    std::visit([&](auto& mapping) { mapping.images_together = images; }, row.mapping);
    row.cost = batch_cost({graph_.batch, out_.program.parts, plan_.row_costs[r]});
    out_.rows.push_back(std::move(row));
    return nests;
  }

  void note_fusion(const ChainLayout& layout) {
    for (std::size_t r = layout.chain.first; r <= layout.chain.last; ++r) {
      RowFusion fusion{{}, layout.chain.stripe_rows};
      for (std::size_t other = layout.chain.first; other <= layout.chain.last; ++other) {
        if (other != r) fusion.fused_with.push_back(graph_.nodes[out_.rows[other].nodes.back()].name);
      }
      LayerMapping& mapping = out_.rows[r].mapping;
      if (auto* gemm = std::get_if<GemmLayerMapping>(&mapping)) gemm->fusion = std::move(fusion);
      if (auto* vector = std::get_if<VectorLayerMapping>(&mapping)) vector->fusion = std::move(fusion);
    }
  }

  /// The nests of a chain, stripe by stripe. Inputs that are fetched come a stripe ahead, when the stripe
  /// before the present one has retired: in their rings there is room then.
  void add_stripes(const ChainLayout& layout) {
    std::size_t stripe_begin = out_.program.nests.size();
    for (std::size_t stripe = 0; stripe < layout.stripes(); ++stripe) {
      const std::size_t before = stripe_begin;
      stripe_begin = out_.program.nests.size();
      for (std::size_t i = 0; i < of_chain_.size(); ++i) {
        const RowWindow window = layout.window(layout.chain.first + i, stripe);
        if (window.begin == window.end) continue;
        Nest& nest = out_.program.nests.emplace_back(of_chain_[i]);
        const std::size_t lead = out_.program.nests.size() - 1 - before;
        std::visit(
            [&](auto& own) {
              own.window = window;
              if (stripe > 0 && fetches_alone(own)) own.inputs_lead = lead;
            },
            nest);
        if (auto* gemm = std::get_if<GemmNest>(&nest)) gemm->weights_loaded &= window.begin == 0;
      }
    }
    of_chain_.clear();
  }

  /// Of the inputs some are fetched, and none passes through slots.
  [[nodiscard]] static bool fetches_alone(const GemmNest& nest) { return nest.mapping().fetch_input; }
  [[nodiscard]] static bool fetches_alone(const VectorNest& nest) {
    const VectorMapping& mapping = nest.mapping();
    return std::ranges::count(mapping.fetch_inputs, true) > 0 &&
           std::ranges::count(mapping.inputs_resident, false) == 0;
  }
  [[nodiscard]] static bool fetches_alone(const HostNest& /*nest*/) { return false; }

  /// Names of rows first .. first + more, but for row `own`.
  [[nodiscard]] std::vector<std::string> names_without(std::size_t own, std::size_t first,
                                                       std::size_t more) const {
    std::vector<std::string> names;
    for (std::size_t row = first; row <= first + more; ++row) {
      if (row != own) names.push_back(graph_.nodes[out_.schedule.rows[row].nodes.back()].name);
    }
    return names;
  }

  /// Row r has no nest of its own: it runs on the way out of a product before it.
  [[nodiscard]] LayerMapping mapping_on_way_out(std::size_t r) const {
    std::size_t product = r;
    while (lowered_[product].problems.empty()) --product;
    return WayOutLayerMapping{{names_without(r, product, lowered_[product].gemm()->way_out.size()), 0}};
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
    if (problem->addend() != nullptr) set_base(plan.placement.addend, lowered.inputs[0].back());
    place_blocks(*problem, plan.mapping, plan.placement);
    if (hardware_.dram.kind != DramKind::none) place_in_dram(*problem, lowered, plan.placement);
    GemmNest nest(static_cast<std::int32_t>(r), problem, std::move(plan.mapping), std::move(plan.placement));
    nest.weights_loaded = hardware_.dram.kind != DramKind::none;
    if (with_images_) add_images(nest, graph_.nodes[row.node], lowered.preload);
    row.mac = MacContext{{hardware_.accumulators.width_bits, hardware_.accumulators.overflow},
                         chunk_ends(nest),
                         channels_before_taps(nest),
                         problem->rounding_profile,
                         problem->shift_rounding,
                         problem->multiplier_bits};
    row.accumulator_bits_any_weights = worst_case_accumulator_bits(*problem, lowered.preload);
    const GemmCursor cursor(nest);
    row.mapping = GemmLayerMapping{nest.mapping(),
                                   plan_.activation_bytes[r],
                                   problem->activation_weights.has_value(),
                                   gemm_output_tile(*problem, nest.mapping())[kChannel],
                                   cursor.blocks(),
                                   cursor.parts(),
                                   0,
                                   problem->addend() != nullptr,
                                   {names_without(r, r, problem->way_out.size()), 0}};
    const std::size_t last = r + problem->way_out.size();
    note_placement(graph_.nodes[out_.schedule.rows[last].node].outputs[0], nest.placement().output);
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
    if (n == 0) row.mapping = VectorLayerMapping{{}, plan_.activation_bytes[r], row.converts_for_host};
    std::get<VectorLayerMapping>(row.mapping).nests.push_back(nest.mapping());
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
    std::int64_t read = 0;
    for (const HostTransfer& transfer : problem->reads) read += transfer.bytes;
    const std::int64_t parts = out_.program.parts;
    row.mapping =
        HostLayerMapping{parts * mac_count(graph_, node), parts * read, parts * problem->write.bytes};
    return nest;
  }

  void note_placement(TensorId id, const Placement& placement) {
    out_.placements[id] = placement;
    const int storage = out_.schedule.storage_of[static_cast<std::size_t>(id)];
    if (const std::int64_t stride = part_stride_[static_cast<std::size_t>(storage)]; stride > 0)
      out_.part_strides[id] = stride;
  }

  void place_inputs() {
    for (const TensorId id : graph_.inputs) {
      const int storage = out_.schedule.storage_of[static_cast<std::size_t>(id)];
      const auto index = static_cast<std::size_t>(storage);
      Placement placement = unplaced(view_of(out_.schedule, id, dims_of(graph_.tensor(id).shape)));
      placement.resident = plan_.stays[index] == Stay::kept;
      set_base(placement, storage);
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

  const Graph& graph_;
  const std::vector<LoweredRow>& lowered_;
  MemoryPlan plan_;
  const HardwareConfig& hardware_;
  bool with_images_;
  std::vector<std::int64_t> pitches_;  ///< By storage: dram_pitches().
  CompiledProgram& out_;
  std::vector<std::int64_t> dram_address_;
  std::vector<std::int64_t> part_stride_;  ///< By storage: from one part of a batch to the next.
  std::int64_t dram_bytes_ = 0;
  std::vector<Nest> of_chain_;  ///< Whole nests of the present chain's rows, as far as they are there.
};

}  // namespace

void build_program(const Graph& graph, const std::vector<LoweredRow>& lowered, MemoryPlan plan,
                   const HardwareConfig& hardware, bool with_images, CompiledProgram& out) {
  std::vector<std::int64_t> pitches = dram_pitches(out.schedule, lowered, plan, hardware);
  const std::vector<std::int64_t> none(pitches.size(), 0);
  if (pitches == none)
    return ProgramBuilder(graph, lowered, std::move(plan), hardware, with_images, none, out).run();
  CompiledProgram pitched = out;
  ProgramBuilder(graph, lowered, plan, hardware, with_images, std::move(pitches), pitched).run();
  // Bursts are not worth a larger memory.
  if (pitched.program.dram_bytes <= hardware.dram.capacity_mib << 20)
    out = std::move(pitched);
  else
    ProgramBuilder(graph, lowered, std::move(plan), hardware, with_images, none, out).run();
}

}  // namespace qsim
