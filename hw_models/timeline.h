// Who was busy when, who waited for what, and what each cycle of the run counts as.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "hw_models/activity.h"

namespace qsim {

/// Units whose activity is recorded.
enum class Unit : std::uint8_t {
  mac_array,
  requantizer,
  vector_unit,
  dma_weights,
  dma_inputs,
  dma_stores,
  count_
};
inline constexpr std::size_t kUnitCount = static_cast<std::size_t>(Unit::count_);

/// What a recorded interval shows. Those before the busy states are what the critical resource does
/// (CycleClass of the same name, or wait_ports); the busy states tell what it was that nobody was waiting for
/// explicitly.
enum class Span : std::uint8_t {
  stream_waits_ports,  ///< No step enters, because of the ports of a buffer.
  compute,
  load_waits_ports,  ///< What stays would be in the PEs by now with ports as fast as the array.
  fill_drain,
  weight_load,
  wait_weights,
  wait_activations,
  wait_accumulators,
  wait_requantizer,
  wait_output_space,
  vector,
  host,
  requantizer_busy,
  stores_busy,
  inputs_busy,
  weights_busy,
  count_
};

/// One recorded interval [begin, end) in cycles.
struct Interval {
  std::int64_t begin = 0, end = 0;
  std::int32_t row = 0;
  Span span = Span::compute;
  std::int64_t bytes = 0;  ///< Payload of a transfer.
};

/// When the parts of a pass of the array are over.
struct PassTimes {
  std::int64_t begin = 0;            ///< The first step enters.
  std::int64_t least_last_step = 0;  ///< The last one would, with ports that never hold up a step.
  std::int64_t last_step = 0;        ///< It does.
  std::int64_t mac_end = 0;          ///< The last useful MAC is over.
  std::int64_t drained = 0;          ///< The last sum has left.
};

/// What streams through the buffers tile by tile.
enum class Held : std::uint8_t { weights, parameters, inputs, addends, count_ };

/// Bytes of a buffer that a tile takes (positive) or frees.
struct FillChange {
  std::int64_t cycle = 0;
  Held held = Held::weights;
  std::int64_t bytes = 0;
};

/// Class that a cycle counts as when `span` is the first state that applies.
[[nodiscard]] CycleClass class_of(Span span);
/// What a trace calls it.
[[nodiscard]] std::string_view span_name(Span span);

/// First and last activity of a report row (prefetched weights aside), and when it was complete.
struct RowTimes {
  std::int64_t first = -1, last = 0, completed = -1;
};

/// A row is complete, or one of the stripes that it is executed in.
struct Completion {
  std::int64_t begin = 0, cycle = 0;  ///< When it could begin, and when it was complete.
  std::int32_t row = 0;
};

/// Collects intervals while the chip runs and classifies every cycle afterwards.
class Timeline {
 public:
  explicit Timeline(std::int32_t rows) : rows_(static_cast<std::size_t>(rows)) {}

  /// Empty intervals are dropped.
  void record(Span span, std::int32_t row, std::int64_t begin, std::int64_t end, std::int64_t bytes = 0);
  /// A pass: computing until the last step could enter, then waiting for ports until it does, then computing
  /// again and draining. Where in the stream the single cycles of waiting were is not kept.
  void record_pass(std::int32_t row, const PassTimes& pass);
  /// A row is active that has no interval of its own.
  void extend(std::int32_t row, std::int64_t begin, std::int64_t end);
  void record_fill(const FillChange& change) { fills_.push_back(change); }
  /// A row that is executed in stripes is complete several times, the last time for good.
  void complete(std::int32_t row, std::int64_t begin, std::int64_t cycle);
  void complete(std::int32_t row, std::int64_t cycle) { complete(row, 0, cycle); }

  [[nodiscard]] const std::vector<RowTimes>& rows() const { return rows_; }
  [[nodiscard]] const std::vector<Interval>& intervals() const { return intervals_; }
  [[nodiscard]] const std::vector<FillChange>& fills() const { return fills_; }

  /// The rows in the order in which they were complete, of equal ones the first first.
  [[nodiscard]] std::vector<std::int32_t> completion_order() const;
  /// By cycle, of equal ones that of the first row first.
  [[nodiscard]] std::vector<Completion> completions() const;
  /// By row: from its first to its last activity; the sum of its stripes'.
  [[nodiscard]] std::vector<std::int64_t> span_cycles() const;

  /// For each row, what the cycles from the completion before its own (of whatever row) to its own were: of
  /// the classes that apply to a cycle the first in contract order counts; a cycle in which no unit of the
  /// critical path works or waits goes to the transfer or drain that is under way (requantizer:
  /// wait_requantizer, stores: wait_output_space, input loads: wait_activations, weight loads: wait_weights),
  /// then to control.
  [[nodiscard]] std::vector<CycleBreakdown> classify() const;

 private:
  std::vector<RowTimes> rows_;
  std::vector<Interval> intervals_;
  std::vector<FillChange> fills_;
  std::vector<Completion> completions_;
};

/// The tiles in the buffers of one core.
class HeldTiles {
 public:
  explicit HeldTiles(Timeline& timeline) : timeline_(timeline) {}

  /// A tile is in its buffer; tiles are released in the order in which they came. Releasing nothing is
  /// allowed (slots that start free).
  void hold(Held held, std::int64_t cycle, std::int64_t bytes);
  void release(Held held, std::int64_t cycle);
  /// What is there for good. Tensors of activations that stay are not counted, whether they were made on the
  /// chip or fetched.
  void keep(Held held, std::int64_t cycle, std::int64_t bytes);

 private:
  Timeline& timeline_;
  std::array<std::deque<std::int64_t>, static_cast<std::size_t>(Held::count_)> tiles_;  ///< Bytes of each.
};

/// Indices of `rows` by their completion, of equal ones the first first.
[[nodiscard]] std::vector<std::int32_t> completion_order(const std::vector<RowTimes>& rows);

}  // namespace qsim
