#include "sim/compiler/mapping_memo.h"

#include <array>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "hw_models/core/vector_work.h"

namespace qsim {
namespace {

/// A value as numbers. Structs are taken apart into all of their members: one more does not compile before
/// it has its place here.
class KeyWriter {
 public:
  std::vector<std::int64_t> take() { return std::move(words_); }

  template <typename Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number>
  void add(Number number) { words_.push_back(static_cast<std::int64_t>(number)); }
  template <typename... Values>
  void add_all(const Values&... values) {
    (add(values), ...);
  }
  template <typename Value, std::size_t kCount>
  void add(const std::array<Value, kCount>& values) {
    for (const Value& value : values) add(value);
  }
  template <typename Value>
  void add(const std::vector<Value>& values) {
    add(values.size());
    for (const Value& value : values) add(value);
  }

  void add(const arithmetic::IntegerFormat& format) { add_all(format.bits, format.is_signed); }
  void add(const TensorLayout& layout) {
    const auto& [base, strides, format, ring_rows] = layout;
    add_all(base, strides, format, ring_rows);
  }
  void add(const TensorView& view) {
    const auto& [dims, layout, pixel_granule, pitch_bytes] = view;
    add_all(dims, layout, pixel_granule, pitch_bytes);
  }
  void add(const MappingLimits& limits) {
    const auto& [weight_bytes, parameter_bytes, slots, output_slots, weight_slots, memory, ahead, loads,
                 energies] = limits;
    static_cast<void>(energies);  // the memo's own
    constexpr std::int64_t kManyBytes = 1 << 30;
    add_all(weight_bytes, parameter_bytes, slots, output_slots, weight_slots, ahead, loads,
            memory.latency_cycles(), memory.setup_cycles(), memory.burst_bytes(), memory.cycles(kManyBytes),
            memory.writes().latency_cycles(), memory.writes().cycles(kManyBytes), memory.writes_apart(),
            memory.weight_start(), memory.input_start());
  }

  void add(const RowWindow& window) { add_all(window.begin, window.end); }

  // Products.

  void add(const ConvolutionGeometry& geometry) {
    const auto& [input, output, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, inserted_h,
                 inserted_w, pad_top, pad_left, groups, zero_point] = geometry;
    static_cast<void>(zero_point);
    add_all(input, output, kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, inserted_h,
            inserted_w, pad_top, pad_left, groups);
  }
  void add(const ParameterFormat& format) {
    const auto& [preload_bytes, per_channel, asymmetric_weights, scale_bytes, groups, multiplier_bytes] =
        format;
    add_all(preload_bytes, per_channel, asymmetric_weights, scale_bytes, groups, multiplier_bytes);
  }
  void add(const std::optional<ActivationWeights>& weights) {
    add(weights.has_value());
    if (!weights) return;
    const auto& [layout, transposed, matrix_of_row] = *weights;
    static_cast<void>(matrix_of_row);  // each row of the output has one
    add_all(layout, transposed);
  }
  void add(const GemmProblem& problem) {
    const auto& [geometry, weight_format, weight_granule, order_free, activation_format, skip_burst, input,
                 output, activation_weights, sums_weights, scale_group, multiplied_depth, in_blocks,
                 block_reference, block_clamp, parameters, profile, shift_rounding, multiplier_bits, range,
                 way_out] = problem;
    static_cast<void>(range);
    static_cast<void>(multiplied_depth);  // order_free says what follows from it
    static_cast<void>(block_reference);
    static_cast<void>(block_clamp);
    static_cast<void>(shift_rounding);  // of the machine, as the width of its multiplier
    static_cast<void>(multiplier_bits);
    add_all(geometry, weight_format, weight_granule, order_free, activation_format, skip_burst, input, output,
            activation_weights, sums_weights, scale_group, in_blocks, parameters, profile, way_out);
  }
  void add(const WayOutOperation& operation) {
    const auto& [problem, chained] = operation;
    add(chained);
    add(*problem);
  }
  /// What of it a space takes over.
  void add(const GemmMapping& residency) {
    add_all(residency.store_output, residency.fetch_input, residency.weights_resident,
            residency.input_resident, residency.output_resident, residency.addend_resident);
  }

  // Operations of the vector unit.

  void add(const arithmetic::ResizeTap& tap) { add_all(tap.first, tap.second); }
  /// Which function it is, what it costs, and what it reads.
  void add_function(const VectorProblem& problem) {
    add(problem.function.index());
    const Dims& extent = problem.extent;
    for (const std::int64_t elements : {std::int64_t{1}, extent[0] * extent[1] * extent[2] * extent[3]}) {
      const auto& [adds, multiplies, lookups, reads, writes, operations] = vector_cost(problem, elements);
      add_all(adds, multiplies, lookups, reads, writes, operations);
    }
    if (const auto* resize = std::get_if<arithmetic::ResizeFunction>(&problem.function))
      add_all(resize->rows, resize->columns);
  }
  void add(const VectorInput& input) {
    const auto& [tensor, source, stride, offset, pad] = input;
    static_cast<void>(pad);
    add_all(tensor, source, stride, offset);
  }
  void add(const VectorProblem& problem) {
    const auto& [function, extent, window, inputs, has_gamma, has_beta, output, output_offset] = problem;
    static_cast<void>(function);
    add_function(problem);
    add_all(extent, window, inputs, has_gamma, has_beta, output, output_offset);
  }
  void add(const VectorMapping& residency) {
    add_all(residency.store_output, residency.inputs_resident, residency.fetch_inputs,
            residency.output_resident);
  }

 private:
  std::vector<std::int64_t> words_;
};

}  // namespace

/// FNV-1a over the words.
std::size_t MappingMemo::Hash::operator()(const Key& key) const {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const std::int64_t word : key) {
    hash ^= static_cast<std::uint64_t>(word);
    hash *= 1'099'511'628'211U;
    hash ^= hash >> 29U;
  }
  return hash;
}

template <typename Space, typename MappingType>
const MappingOptions<MappingType>& MappingMemo::ask(const Space& space, Known<MappingType>& known) {
  if (space.pin() != nullptr && !space.pin()->given.empty()) {
    known.given.push_back(std::make_unique<MappingOptions<MappingType>>(mapper_.options(space, measure_)));
    return *known.given.back();
  }
  KeyWriter writer;
  writer.add_all(space.problem(), space.residency(), space.limits());
  const auto [entry, is_new] = known.found.try_emplace(writer.take());
  if (is_new) entry->second = mapper_.options(space, measure_);
  return entry->second;
}

template <typename ProblemType, typename MappingType>
const MappingOptions<MappingType>& MappingMemo::ask_in_stripes(
    const StripeQuestion<ProblemType, MappingType>& question,
    const std::function<MappingOptions<MappingType>()>& make, Known<MappingType>& known) {
  if (question.is_given) {
    known.given.push_back(std::make_unique<MappingOptions<MappingType>>(make()));
    return *known.given.back();
  }
  KeyWriter writer;
  writer.add_all(question.problem, question.windows, question.residency, question.limits,
                 question.limits.energies != nullptr, question.loads_resident_weights);
  const auto [entry, is_new] = known.in_stripes.try_emplace(writer.take());
  if (is_new) entry->second = make();
  return entry->second;
}

const MappingOptions<GemmMapping>& MappingMemo::options(const GemmSpace& space) {
  return ask(space, gemm_);
}

const MappingOptions<VectorMapping>& MappingMemo::options(const VectorSpace& space) {
  return ask(space, vector_);
}

const MappingOptions<GemmMapping>& MappingMemo::in_stripes(
    const StripeQuestion<GemmProblem, GemmMapping>& question,
    const std::function<MappingOptions<GemmMapping>()>& make) {
  return ask_in_stripes(question, make, gemm_);
}

const MappingOptions<VectorMapping>& MappingMemo::in_stripes(
    const StripeQuestion<VectorProblem, VectorMapping>& question,
    const std::function<MappingOptions<VectorMapping>()>& make) {
  return ask_in_stripes(question, make, vector_);
}

}  // namespace qsim
