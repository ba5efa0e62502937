#include "sim/compiler/stripes.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "hw_models/core/nest_cursor.h"
#include "sim/compiler/chain.h"
#include "sim/compiler/gemm_cost.h"
#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/schedule.h"

namespace qsim {

namespace {

/// Windows that cost the same.
template <typename ProblemType>
struct AlikeStripes {
  ProblemType problem;
  std::int64_t count = 0;
};

bool is_alike(const GemmProblem& a, const GemmProblem& b) {
  return a.geometry.output[kRow] == b.geometry.output[kRow] &&
         a.geometry.input[kRow] == b.geometry.input[kRow] && a.geometry.pad_top == b.geometry.pad_top;
}

bool is_alike(const VectorProblem& a, const VectorProblem& b) {
  return a.extent == b.extent && std::ranges::equal(a.inputs, b.inputs, [](const auto& x, const auto& y) {
           return x.tensor.dims == y.tensor.dims && x.offset == y.offset;
         });
}

template <typename ProblemType>
std::vector<AlikeStripes<ProblemType>> alike_stripes(const ProblemType& problem,
                                                     const std::vector<RowWindow>& windows) {
  std::vector<AlikeStripes<ProblemType>> found;
  for (const RowWindow& window : windows) {
    ProblemType stripe = stripe_problem(problem, window);
    const auto same =
        std::ranges::find_if(found, [&](const auto& each) { return is_alike(each.problem, stripe); });
    if (same == found.end()) {
      found.push_back({std::move(stripe), 1});
    } else {
      ++same->count;
    }
  }
  return found;
}

void add_times(MappingCost& cost, const MappingCost& stripe, std::int64_t count) {
  cost.dram_bytes += count * stripe.dram_bytes;
  cost.memory_cycles += count * stripe.memory_cycles;
  cost.cycles += count * stripe.cycles;
  cost.transfers += count * stripe.transfers;
  cost.spill_cycles += count * stripe.spill_cycles;
  cost.energy_pj += static_cast<double>(count) * stripe.energy_pj;
}

/// An input that is fetched stripe by stripe, a stripe ahead; the first is waited for. Each stripe fetches as
/// much as its share of the output's `rows`.
void add_fetch(MappingCost& cost, const TensorView& input, const std::vector<RowWindow>& windows,
               std::int64_t rows, const MemoryRate& memory) {
  const std::int64_t bytes = dense_bytes(input.dims, input.layout.format, input.pixel_granule);
  std::int64_t computed = 0;
  for (const RowWindow& window : windows) computed += window.end - window.begin;
  cost.add_beside(bytes * computed / rows, memory);
  cost.transfers += static_cast<std::int64_t>(windows.size());
  if (windows.front().begin == 0)
    cost.cycles +=
        memory.cycles(bytes * windows.front().end / rows) + memory.latency_cycles() + memory.setup_cycles();
}

/// The better ones behind.
template <typename MappingType>
void sort_options(std::vector<MappingOption<MappingType>>& options, const CostMeasure& measure) {
  std::ranges::stable_sort(options, std::greater<>(), [&](const MappingOption<MappingType>& option) {
    return std::pair(measure(option.cost), option.needed.activation_bytes);
  });
}

class GemmStripes {
 public:
  GemmStripes(const GemmProblem& problem, const std::vector<RowWindow>& windows, bool fetches_input,
              const StripeContext& context)
      : problem_(problem),
        windows_(windows),
        stripes_(alike_stripes(problem, windows)),
        fetches_input_(fetches_input),
        context_(context),
        rates_(context.limits, problem, context.hardware) {}

  [[nodiscard]] MappingCost cost(const GemmMapping& mapping) const {
    MappingCost cost;
    for (const auto& [problem, count] : stripes_)
      add_times(cost, gemm_cost(problem, mapping, context_.hardware, context_.limits, rates_.of(mapping)),
                count);
    if (fetches_input_)
      add_fetch(cost, problem_.input, windows_, problem_.geometry.output[kRow], context_.limits.memory);
    cost.loaded_cycles = cost.cycles;
    if (mapping.weights_resident && context_.loads_resident_weights)
      cost.add_beside(weight_bytes(mapping), context_.limits.memory);
    return cost;
  }

  /// Passes of a half, a quarter .. of the pixels, as long as that costs less. Not where the sums of all
  /// passes of a step wait in the accumulators: shorter ones may take more of them.
  void shorten_passes(MappingOption<GemmMapping>& option) const {
    if (GemmCursor(problem_, option.mapping).sums_wait()) return;
    MappingOption<GemmMapping> shorter = option;
    while (shorter.mapping.pixels_per_pass > 1) {
      shorter.mapping.pixels_per_pass = ceil_div(shorter.mapping.pixels_per_pass, 2);
      shorter.cost = cost(shorter.mapping);
      const CostMeasure& measure = context_.mapper.measure();
      if (measure(shorter.cost) >= measure(option.cost)) return;
      option = shorter;
    }
  }

 private:
  /// With parameters; the first stripe loads them.
  [[nodiscard]] std::int64_t weight_bytes(const GemmMapping& mapping) const {
    const GemmCursor cursor(problem_, mapping);
    std::int64_t bytes = cursor.blocks() * problem_.parameters.header_bytes() +
                         problem_.geometry.output[kChannel] * problem_.parameters.channel_bytes();
    cursor.visit_blocks([&](std::int64_t block, std::int64_t alike) {
      cursor.visit_parts([&](std::int64_t part, std::int64_t alike_parts) {
        bytes += alike * alike_parts * cursor.block_bytes(block, part);
      });
    });
    return bytes;
  }

  const GemmProblem& problem_;
  const std::vector<RowWindow>& windows_;
  std::vector<AlikeStripes<GemmProblem>> stripes_;
  bool fetches_input_;
  const StripeContext& context_;
  GemmRates rates_;
};

}  // namespace

GemmProblem stripe_problem(const GemmProblem& problem, RowWindow window) {
  GemmProblem stripe = problem;
  ConvolutionGeometry& g = stripe.geometry;
  const auto [begin, end] = input_range(window.begin, window.end, 0, g.kernel_h, g.stride_h, g.pad_top,
                                        g.dilation_h, g.input_dilation_h, g.input[kRow]);
  // Output row 0 begins where row window.begin did, seen from input row `begin`.
  g.pad_top += begin * g.input_dilation_h - window.begin * g.stride_h;
  g.output[kRow] = window.end - window.begin;
  g.input[kRow] = std::max<std::int64_t>(1, end - begin);
  stripe.input.dims[kRow] = g.input[kRow];
  stripe.output.dims[kRow] = g.output[kRow];
  return stripe;
}

VectorProblem stripe_problem(const VectorProblem& problem, RowWindow window) {
  VectorProblem stripe = problem;
  stripe.extent[kRow] = stripe.output.dims[kRow] = window.end - window.begin;
  const VectorCursor cursor(problem, problem.extent, problem.extent);
  Box output{{}, problem.extent};
  output.begin[kRow] = window.begin;
  output.end[kRow] = window.end;
  for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
    VectorInput& input = stripe.inputs[i];
    for (std::size_t d = 0; d < kDims; ++d) {
      if (input.source[d] != kRow) continue;
      const Box read = cursor.input_box(problem.inputs[i], output);
      input.offset[d] += window.begin * input.stride[d] - read.begin[d];
      input.tensor.dims[d] = std::max<std::int64_t>(1, read.extent(d));
    }
  }
  return stripe;
}

namespace {

MappingOptions<GemmMapping> make_options(const GemmProblem& problem, const std::vector<RowWindow>& windows,
                                         const GemmMapping& residency, const StripeContext& context,
                                         const Pinned<GemmMapping>* pin) {
  const GemmStripes stripes(problem, windows, residency.fetch_input, context);
  const GemmProblem most = stripe_problem(problem, largest(windows));
  GemmMapping there = residency;
  there.fetch_input = false;
  MappingOptions<GemmMapping> found =
      context.mapper.options(GemmSpace(most, there, context.hardware, context.limits, pin));
  for (MappingOption<GemmMapping>& option : found.options) {
    const GemmCursor cursor(problem, option.mapping);
    const TileBytes tile = gemm_tile_bytes(problem, option.mapping, cursor);
    option.needed.activation_bytes = tile.input * option.mapping.input_slots +
                                     tile.output * option.mapping.output_slots +
                                     waiting_sum_bytes(option.mapping, cursor, context.hardware.accumulators);
    option.cost = stripes.cost(option.mapping);
    if (pin == nullptr || !pin->gives(mapping_keys::kPixelsPerPass)) stripes.shorten_passes(option);
    option.mapping.fetch_input = residency.fetch_input;
  }
  found.kinds.clear();
  sort_options(found.options, context.mapper.measure());
  return found;
}

MappingOptions<VectorMapping> make_options(const VectorProblem& problem,
                                           const std::vector<RowWindow>& windows,
                                           const VectorMapping& residency, const StripeContext& context,
                                           const Pinned<VectorMapping>* pin) {
  const std::vector<AlikeStripes<VectorProblem>> stripes = alike_stripes(problem, windows);
  const std::optional<EventRates> rates = rates_of(context.limits, {});
  const VectorProblem most = stripe_problem(problem, largest(windows));
  VectorMapping there = residency;
  there.fetch_inputs.assign(problem.inputs.size(), false);
  MappingOptions<VectorMapping> found =
      context.mapper.options(VectorSpace(most, there, context.hardware, context.limits, pin));
  for (MappingOption<VectorMapping>& option : found.options) {
    option.needed.activation_bytes = vector_tile_bytes(problem, option.mapping) * option.mapping.slots;
    option.cost = {};
    for (const auto& [stripe, count] : stripes)
      add_times(
          option.cost,
          vector_cost(stripe, option.mapping, context.hardware, context.limits, rates ? &*rates : nullptr),
          count);
    for (std::size_t i = 0; i < residency.fetch_inputs.size(); ++i) {
      if (residency.fetch_inputs[i])
        add_fetch(option.cost, problem.inputs[i].tensor, windows, problem.extent[kRow],
                  context.limits.memory);
    }
    option.cost.loaded_cycles = option.cost.cycles;
    option.mapping.fetch_inputs = residency.fetch_inputs;
  }
  found.kinds.clear();
  sort_options(found.options, context.mapper.measure());
  return found;
}

template <typename ProblemType, typename MappingType>
const MappingOptions<MappingType>& known_options(const ProblemType& problem,
                                                 const std::vector<RowWindow>& windows,
                                                 const MappingType& residency, const StripeContext& context,
                                                 const Pinned<MappingType>* pin) {
  const bool is_given = pin != nullptr && !pin->given.empty();
  return context.mapper.in_stripes(
      StripeQuestion<ProblemType, MappingType>{problem, windows, residency, context.limits,
                                               context.loads_resident_weights, is_given},
      [&] { return make_options(problem, windows, residency, context, pin); });
}

}  // namespace

const MappingOptions<GemmMapping>& stripe_options(const GemmProblem& problem,
                                                  const std::vector<RowWindow>& windows,
                                                  const GemmMapping& residency, const StripeContext& context,
                                                  const Pinned<GemmMapping>* pin) {
  return known_options(problem, windows, residency, context, pin);
}

const MappingOptions<VectorMapping>& stripe_options(const VectorProblem& problem,
                                                    const std::vector<RowWindow>& windows,
                                                    const VectorMapping& residency,
                                                    const StripeContext& context,
                                                    const Pinned<VectorMapping>* pin) {
  return known_options(problem, windows, residency, context, pin);
}

}  // namespace qsim
