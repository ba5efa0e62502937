#include "sim/report/power_profile.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

namespace qsim {
namespace {

/// Units that intervals tell apart.
enum class Busy : std::uint8_t { array, vector, requantizer, transfers, none };
constexpr std::size_t kBusyCount = 4;

Busy busy_of(Span span) {
  switch (span) {
    case Span::compute:
      return Busy::array;
    case Span::vector:
      return Busy::vector;
    case Span::requantizer_busy:
      return Busy::requantizer;
    case Span::stores_busy:
    case Span::inputs_busy:
    case Span::weights_busy:
      return Busy::transfers;
    default:
      return Busy::none;
  }
}

/// Where a component's energy is spent; of a row without intervals of the first the next.
std::initializer_list<Busy> places_of(Component component) {
  static constexpr std::initializer_list<Busy> kTransfers = {Busy::transfers};
  static constexpr std::initializer_list<Busy> kNowhere = {};
  static constexpr std::initializer_list<Busy> kVector = {Busy::vector, Busy::requantizer, Busy::array};
  static constexpr std::initializer_list<Busy> kRequantizer = {Busy::requantizer, Busy::array};
  static constexpr std::initializer_list<Busy> kArray = {Busy::array, Busy::vector};
  switch (component) {
    case Component::dma:
    case Component::dram:
      return kTransfers;
    case Component::control:
      return kNowhere;
    case Component::vector_unit:
      return kVector;
    case Component::requantizer:
      return kRequantizer;
    default:
      return kArray;
  }
}

double weight_of(const Interval& interval) {
  return static_cast<double>(busy_of(interval.span) == Busy::transfers ? interval.bytes
                                                                       : interval.end - interval.begin);
}

/// What a row spends by place; the last one is from its first activity to its completion.
using Shares = std::array<double, kBusyCount + 1>;

class Profile {
 public:
  Profile(const RunResult& result, const RunSummary& summary)
      : result_(result),
        summary_(summary),
        own_rows_(std::min(result.timeline.rows.size(),
                           result.layers.size() * static_cast<std::size_t>(result.timeline.parts))),
        weights_(result.layers.size()),
        energies_(result.layers.size()) {
    profile_.window_cycles =
        std::max<std::int64_t>(1, (result.total_cycles + kMostPowerWindows - 1) / kMostPowerWindows);
    const std::int64_t windows = (result.total_cycles + profile_.window_cycles - 1) / profile_.window_cycles;
    profile_.energy_pj.resize(static_cast<std::size_t>(std::max<std::int64_t>(1, windows)));
  }

  PowerProfile make() {
    for (const Interval& interval : result_.timeline.intervals) {
      if (counts(interval)) weight(interval) += weight_of(interval);
    }
    spread_constant();
    for (std::size_t layer = 0; layer < result_.layers.size(); ++layer) share_out(layer);
    for (const Interval& interval : result_.timeline.intervals) {
      if (!counts(interval)) continue;
      const double pj = energies_[layer_of(interval)][static_cast<std::size_t>(busy_of(interval.span))];
      spread(interval.begin, interval.end, pj * weight_of(interval) / weight(interval));
    }
    finish();
    return std::move(profile_);
  }

 private:
  [[nodiscard]] std::size_t layer_of(const Interval& interval) const {
    return result_.timeline.layer_of(static_cast<std::size_t>(interval.row));
  }
  [[nodiscard]] bool counts(const Interval& interval) const {
    return interval.row >= 0 && static_cast<std::size_t>(interval.row) < own_rows_ &&
           busy_of(interval.span) != Busy::none && weight_of(interval) > 0.0;
  }
  double& weight(const Interval& interval) {
    return weights_[layer_of(interval)][static_cast<std::size_t>(busy_of(interval.span))];
  }

  /// `pj` evenly over [begin, end), as far as it lies in the run.
  void spread(std::int64_t begin, std::int64_t end, double pj) {
    begin = std::clamp<std::int64_t>(begin, 0, std::max<std::int64_t>(0, result_.total_cycles - 1));
    end = std::clamp(end, begin + 1, std::max(begin + 1, result_.total_cycles));
    const double per_cycle = pj / static_cast<double>(end - begin);
    while (begin < end) {
      const std::int64_t window = begin / profile_.window_cycles;
      const std::int64_t stop = std::min(end, (window + 1) * profile_.window_cycles);
      profile_.energy_pj[static_cast<std::size_t>(window)] += per_cycle * static_cast<double>(stop - begin);
      begin = stop;
    }
  }

  void spread_constant() {
    double cycle_pj = 0.0;
    for (const EnergyTerm& term : summary_.terms) {
      if (term.event.name() == cycle_event().name()) cycle_pj += term.unit_pj;
    }
    spread(0, result_.total_cycles, cycle_pj * static_cast<double>(result_.total_cycles));
  }

  void share_out(std::size_t layer) {
    const EventCounts& events = summary_.rows[layer].events;
    Shares& energies = energies_[layer];
    for (const EnergyTerm& term : summary_.terms) {
      const auto found = events.find(term.event.name());
      if (found == events.end() || term.event.name() == cycle_event().name()) continue;
      std::size_t place = kBusyCount;
      for (const Busy busy : places_of(term.component)) {
        if (place == kBusyCount && weights_[layer][static_cast<std::size_t>(busy)] > 0.0)
          place = static_cast<std::size_t>(busy);
      }
      energies[place] += static_cast<double>(found->second) * term.unit_pj;
    }
    spread_over_rows(layer, energies[kBusyCount]);
  }

  /// From the first activity to the completion of the row, or of its parts.
  void spread_over_rows(std::size_t layer, double pj) {
    std::int64_t begin = result_.total_cycles;
    std::int64_t end = 0;
    for (std::size_t row = 0; row < own_rows_; ++row) {
      if (result_.timeline.layer_of(row) != layer) continue;
      const RowTimes& times = result_.timeline.rows[row];
      begin = std::min(begin, times.first >= 0 ? times.first : times.completed);
      end = std::max({end, times.last, times.completed});
    }
    if (end <= begin) begin = 0;
    spread(begin, end > begin ? end : result_.total_cycles, pj);
  }

  void finish() {
    const double cycle_s = 1e-3 / static_cast<double>(result_.hardware.clock_khz);
    profile_.window_s = static_cast<double>(profile_.window_cycles) * cycle_s;
    const double peak_pj = *std::ranges::max_element(profile_.energy_pj);
    profile_.peak_w = peak_pj * 1e-12 / profile_.window_s;
    const double sum_pj = std::accumulate(profile_.energy_pj.begin(), profile_.energy_pj.end(), 0.0);
    const auto cycles = static_cast<double>(std::max<std::int64_t>(1, result_.total_cycles));
    profile_.average_w = sum_pj * 1e-12 / (cycles * cycle_s);
  }

  const RunResult& result_;
  const RunSummary& summary_;
  std::size_t own_rows_;  ///< Of the first inference.
  std::vector<std::array<double, kBusyCount>> weights_;
  std::vector<Shares> energies_;
  PowerProfile profile_;
};

}  // namespace

PowerProfile power_profile(const RunResult& result, const RunSummary& summary) {
  return Profile(result, summary).make();
}

}  // namespace qsim
