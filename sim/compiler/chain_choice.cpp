#include "sim/compiler/chain_choice.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>

#include "sim/compiler/gemm_tiles.h"
#include "sim/compiler/stripes.h"
#include "sim/compiler/weight_plan.h"

namespace qsim {

namespace {

/// Longer chains are not looked at.
constexpr std::size_t kMostRows = 32;
/// Rows in front of the first tensor, and behind the last, that passes through DRAM otherwise.
constexpr int kRowsAround = 3;
/// Stripes of a chain.
constexpr std::int64_t kMostStripes = 64;

class ChainChooser {
 public:
  ChainChooser(const ChainContext& context, const MemoryPlan& unfused)
      : context_(context), unfused_(unfused), limits_(mapping_limits(context.hardware, 0, 0)) {
    limits_.weights_ahead = true;
    for (const LoweredRow& row : context.lowered)
      weights_.push_back(row.gemm() == nullptr || row.gemm()->activation_weights
                             ? 0
                             : qsim::weight_bytes(row, context.hardware, context.mapper));
  }

  /// The cheapest way to execute the rows up to each, with a chain behind the last or a single row.
  std::vector<ChainLayout> run(const ChainSearch& search) {
    search_ = search;
    const std::size_t rows = context_.lowered.size();
    struct Best {
      std::int64_t total = std::numeric_limits<std::int64_t>::max();
      std::optional<Chain> chain;  ///< The last one, which ends here.
    };
    std::vector<Best> best(rows + 1);
    best[0].total = 0;
    for (std::size_t first = 0; first < rows; ++first) {
      const std::int64_t before = best[first].total;
      const std::int64_t single = before + total(unfused_.row_costs[first]);
      if (single < best[first + 1].total) best[first + 1] = {single, std::nullopt};
      std::int64_t weights = weights_[first];
      for (std::size_t last = first + 1; last < std::min(rows, first + kMostRows); ++last) {
        weights += weights_[last];
        if (weights > search_.weight_bytes) break;
        if (!may_pay(first, last)) continue;
        for (const std::int64_t stripe_rows : few_tile_sizes(rows_of(last))) {
          const Chain chain{first, last, stripe_rows};
          const std::optional<std::int64_t>& of_chain = total_of(chain);
          if (of_chain && before + *of_chain < best[last + 1].total)
            best[last + 1] = {before + *of_chain, chain};
        }
      }
    }
    std::vector<ChainLayout> found;
    for (std::size_t end = rows; end > 0;) {
      const std::optional<Chain>& chain = best[end].chain;
      end = chain ? chain->first : end - 1;
      if (chain) found.insert(found.begin(), *layout_of(*chain));
    }
    return within_weights(std::move(found));
  }

 private:
  /// What is minimized.
  [[nodiscard]] std::int64_t total(const MappingCost& cost) const {
    return cost.total() + MappingCost::kCycle * search_.memory_weight * cost.memory_cycles;
  }
  [[nodiscard]] const Storage& storage(int index) const {
    return context_.schedule.storages[static_cast<std::size_t>(index)];
  }
  [[nodiscard]] Stay stay(int index) const { return unfused_.stays[static_cast<std::size_t>(index)]; }
  [[nodiscard]] std::int64_t rows_of(std::size_t row) const {
    const auto& problems = context_.lowered[row].problems;
    if (problems.empty() || std::holds_alternative<std::shared_ptr<const HostProblem>>(problems[0])) return 1;
    return output_rows(context_.lowered[row]);
  }
  [[nodiscard]] std::optional<ChainLayout> layout_of(const Chain& chain) const {
    return lay_out(chain, context_.schedule, context_.lowered, context_.hardware);
  }

  /// Something passes through DRAM within, near both ends.
  [[nodiscard]] bool may_pay(std::size_t first, std::size_t last) const {
    const auto begin = static_cast<int>(first);
    const auto end = static_cast<int>(last);
    bool near_begin = false;
    bool near_end = false;
    for (std::size_t row = first; row < last; ++row) {
      const int index = context_.lowered[row].output;
      const Storage& made = storage(index);
      if (stay(index) != Stay::in_dram || made.is_graph_output || made.last_row > end) continue;
      near_begin |= made.first_row <= begin + kRowsAround;
      near_end |= made.last_row >= end - kRowsAround;
    }
    return near_begin && near_end;
  }

  /// Of the activation buffer, for tile slots: what rings and the tensors that stay leave.
  [[nodiscard]] std::int64_t slot_bytes(const ChainLayout& layout) const {
    std::int64_t free = context_.hardware.activation_buffer.capacity_bytes();
    const auto first = static_cast<int>(layout.chain.first);
    const auto last = static_cast<int>(layout.chain.last);
    for (std::size_t s = 0; s < unfused_.stays.size(); ++s) {
      const auto index = static_cast<int>(s);
      if (stay(index) == Stay::in_dram || is_ring(layout, index)) continue;
      const int begin = stay(index) == Stay::fetched ? storage(index).first_reader : storage(index).first_row;
      if (begin <= last && storage(index).last_row >= first) free -= aligned_bytes(storage(index).bytes);
    }
    for (std::size_t row = layout.chain.first; row <= layout.chain.last; ++row) {
      const LoweredRow& own = context_.lowered[row];
      if (const auto ring = layout.rings.find(own.output); ring != layout.rings.end())
        free -= aligned_bytes(ring_bytes(output_view(own), ring->second));
      for (std::size_t i = 0; i < own.inputs[0].size(); ++i) {
        const auto ring = layout.fetched_rings.find(own.inputs[0][i]);
        if (ring != layout.fetched_rings.end() && is_fetched(layout, row, i))
          free -= aligned_bytes(ring_bytes(input_view(own, i), ring->second));
      }
    }
    return free;
  }

  [[nodiscard]] bool is_ring(const ChainLayout& layout, int index) const {
    return layout.rings.contains(index) ||
           (layout.fetched_rings.contains(index) && stay(index) != Stay::kept);
  }
  [[nodiscard]] bool is_resident(const ChainLayout& layout, int index) const {
    return is_ring(layout, index) || stay(index) != Stay::in_dram;
  }
  [[nodiscard]] bool is_fetched(const ChainLayout& layout, std::size_t row, std::size_t input) const {
    const int index = context_.lowered[row].inputs[0][input];
    if (stay(index) == Stay::kept || !is_resident(layout, index) || layout.rings.contains(index))
      return false;
    const std::vector<int>& inputs = context_.lowered[row].inputs[0];
    return storage(index).first_reader == static_cast<int>(row) &&
           std::ranges::find(inputs, index) == inputs.begin() + static_cast<std::ptrdiff_t>(input);
  }

  /// Of a chain, once for all searches that weigh alike; nothing where it cannot be had.
  const std::optional<std::int64_t>& total_of(const Chain& chain) {
    const auto [entry, is_new] =
        chain_totals_.try_emplace({chain.first, chain.last, chain.stripe_rows, search_.memory_weight});
    if (is_new) entry->second = sum_of(chain);
    return entry->second;
  }
  std::optional<std::int64_t> sum_of(const Chain& chain) {
    const std::optional<ChainLayout> layout = layout_of(chain);
    if (!layout || layout->stripes() < 2 || layout->stripes() > kMostStripes) return std::nullopt;
    const std::int64_t free = slot_bytes(*layout);
    if (free < 0) return std::nullopt;
    std::int64_t sum = 0;
    for (std::size_t row = chain.first; row <= chain.last; ++row) {
      std::map<std::int64_t, std::int64_t> heights;
      for (const RowWindow& own : layout->windows(row)) ++heights[own.end - own.begin];
      for (const auto& [height, count] : heights) {
        const std::optional<std::int64_t> stripe = stripe_total(*layout, row, height, free);
        if (!stripe) return std::nullopt;
        sum += count * *stripe;
      }
    }
    return sum;
  }

  /// Of `height` rows in the middle of a row's output.
  std::optional<std::int64_t> stripe_total(const ChainLayout& layout, std::size_t row, std::int64_t height,
                                           std::int64_t free) {
    const LoweredRow& own = context_.lowered[row];
    std::vector<bool> residency;
    for (std::size_t i = 0; i < own.inputs[0].size(); ++i) {
      residency.push_back(is_resident(layout, own.inputs[0][i]));
      residency.push_back(is_fetched(layout, row, i));
    }
    residency.push_back(is_resident(layout, own.output));
    const auto [entry, is_missing] = totals_.try_emplace({row, height, residency});
    Totals& totals = entry->second;
    if (is_missing) {
      const std::int64_t begin = (output_rows(own) - height) / 2;
      std::visit(
          [&](const auto& problem) {
            add_totals(*problem, {begin, begin + height}, own, residency, totals);
          },
          own.problems[0]);
    }
    std::optional<std::int64_t> best;
    for (const auto& [bytes, cost] : totals) {
      if (bytes <= free) best = std::min(best.value_or(total(cost)), total(cost));
    }
    return best;
  }

  using Totals = std::vector<std::pair<std::int64_t, MappingCost>>;  ///< Bytes of slots, and what it costs.

  [[nodiscard]] bool stores(const LoweredRow& row, bool is_resident) const {
    return !is_resident || storage(row.output).is_graph_output;
  }
  void add_totals(const GemmProblem& problem, RowWindow window, const LoweredRow& row,
                  const std::vector<bool>& residency, Totals& totals) const {
    GemmMapping there;
    there.weights_resident = true;
    there.input_resident = residency[0];
    there.fetch_input = residency[1];
    there.output_resident = residency.back();
    there.store_output = stores(row, residency.back());
    add_totals(
        stripe_options(problem, {window}, there, {context_.hardware, limits_, context_.mapper}, nullptr),
        totals);
  }
  void add_totals(const VectorProblem& problem, RowWindow window, const LoweredRow& row,
                  const std::vector<bool>& residency, Totals& totals) const {
    VectorMapping there;
    for (std::size_t i = 0; i < problem.inputs.size(); ++i) {
      there.inputs_resident.push_back(residency[2 * i]);
      there.fetch_inputs.push_back(residency[2 * i + 1]);
    }
    there.output_resident = residency.back();
    there.store_output = stores(row, residency.back());
    add_totals(
        stripe_options(problem, {window}, there, {context_.hardware, limits_, context_.mapper}, nullptr),
        totals);
  }
  void add_totals(const HostProblem& /*problem*/, RowWindow /*window*/, const LoweredRow& /*row*/,
                  const std::vector<bool>& /*residency*/, Totals& /*totals*/) const {}
  template <typename MappingType>
  static void add_totals(const MappingOptions<MappingType>& found, Totals& totals) {
    for (const auto& option : found.options) totals.emplace_back(option.needed.activation_bytes, option.cost);
  }

  /// Without those that save least for their weights, where all are too many.
  [[nodiscard]] std::vector<ChainLayout> within_weights(std::vector<ChainLayout> chains) const {
    const auto weights = [&](const ChainLayout& layout) {
      return std::accumulate(weights_.begin() + static_cast<std::ptrdiff_t>(layout.chain.first),
                             weights_.begin() + static_cast<std::ptrdiff_t>(layout.chain.last) + 1,
                             std::int64_t{0});
    };
    const auto all = [&] {
      std::int64_t sum = 0;
      for (const ChainLayout& layout : chains) sum += weights(layout);
      return sum;
    };
    while (all() > search_.weight_bytes) chains.erase(std::ranges::max_element(chains, {}, weights));
    return chains;
  }

  const ChainContext& context_;
  const MemoryPlan& unfused_;
  ChainSearch search_;
  MappingLimits limits_;
  std::vector<std::int64_t> weights_;  ///< By row.
  std::map<std::tuple<std::size_t, std::int64_t, std::vector<bool>>, Totals> totals_;
  std::map<std::tuple<std::size_t, std::size_t, std::int64_t, std::int64_t>, std::optional<std::int64_t>>
      chain_totals_;
};

}  // namespace

bool may_fuse(const HardwareConfig& hardware) {
  return hardware.mapper.fuses_chains && hardware.dram.kind != DramKind::none &&
         hardware.dma.weight_prefetch != WeightPrefetch::ring && !hardware.requantizer.writes_through &&
         hardware.dma.channel_order == ChannelOrder::round_robin &&
         hardware.controller.pass_order == PassOrder::even;
}

std::vector<std::vector<ChainLayout>> choose_chains(const ChainContext& context, const MemoryPlan& unfused,
                                                    const std::vector<ChainSearch>& searches) {
  const auto same = [](const ChainLayout& a, const ChainLayout& b) { return a.chain == b.chain; };
  ChainChooser chooser(context, unfused);
  std::vector<std::vector<ChainLayout>> found;
  for (const ChainSearch& search : searches) {
    std::vector<ChainLayout> chains = chooser.run(search);
    const bool is_new = std::ranges::none_of(
        found, [&](const auto& other) { return std::ranges::equal(other, chains, same); });
    if (!chains.empty() && is_new) found.push_back(std::move(chains));
  }
  return found;
}

}  // namespace qsim
