// What the vector unit computes, as plain parameter structs and one evaluation function each.
//
// The layer-level executor and the tile-level vector unit call the same functions, so that they cannot
// differ. Integers travel as int64; a float32 element travels as its bit pattern in the low 32 bits.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "hw_models/arithmetic/integer_format.h"
#include "hw_models/arithmetic/rounding.h"

namespace qsim::arithmetic {

// ---- one input, element by element ----------------------------------------------------------------------

struct CopyFunction {};

/// Any function of one integer of at most 16 bits, tabulated: entry [x - format.min()].
struct TableFunction {
  IntegerFormat input{};
  std::vector<std::int32_t> table;
};

/// float32 to integer: the formulas of the two runtimes stand above the evaluation.
struct QuantizeFunction {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
  IntegerFormat output{};
  bool round_half_away = false;  ///< TFLite rounds half away from zero, ONNX half to even.
  /// Before the division, each operation rounded to float32: x * multiplier + offset.
  float multiplier = 1.0F, offset = 0.0F;
  /// Set: what comes of q is limited to these and rounded with the zero point in it, as QONNX does.
  struct Limits {
    RoundingMode rounding = RoundingMode::half_even;
    std::int32_t low = 0, high = 0;
  };
  std::optional<Limits> limits{};
};

/// Integer to float32: (q - zero_point) * scale.
struct DequantizeFunction {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
};

using UnaryFunction = std::variant<CopyFunction, TableFunction, QuantizeFunction, DequantizeFunction>;
[[nodiscard]] std::int64_t evaluate(const UnaryFunction& function, std::int64_t x);

// ---- two inputs, element by element ---------------------------------------------------------------------

/// TFLite ADD / SUB of int8 (left_shift 20) and int16 (left_shift 15) general case:
/// see the reference kernels; formula above the evaluation. Where `power_of_two_scales` is set (int16 models
/// whose ADD has pot_scale_int16 and whose scales are powers of two, zero points 0), only the input shifts
/// are used.
struct TfliteAddFunction {
  bool power_of_two_scales = false;
  bool subtract = false;
  std::int32_t left_shift = 20;
  std::int32_t input1_offset = 0, input1_multiplier = 0, input1_shift = 0;
  std::int32_t input2_offset = 0, input2_multiplier = 0, input2_shift = 0;
  std::int32_t output_offset = 0, output_multiplier = 0, output_shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite MUL of int8 and int16.
struct TfliteMulFunction {
  std::int32_t input1_offset = 0, input2_offset = 0, output_offset = 0;
  std::int32_t output_multiplier = 0, output_shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearAdd; float32 with fma.
struct OnnxAddFunction {
  float scale_a = 1.0F, scale_b = 1.0F, scale_c = 1.0F;
  std::int32_t zero_a = 0, zero_b = 0, zero_c = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearMul.
struct OnnxMulFunction {
  float scale_a = 1.0F, scale_b = 1.0F, scale_c = 1.0F;
  std::int32_t zero_a = 0, zero_b = 0, zero_c = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite MINIMUM and MAXIMUM: all tensors have one scale, so the stored integers are compared.
struct TfliteExtremumFunction {
  bool maximum = false;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite PRELU, b the slope; formula above the evaluation.
struct TflitePReluFunction {
  std::int32_t input_offset = 0, slope_offset = 0, output_offset = 0;
  std::int32_t identity_multiplier = 0, identity_shift = 0;
  std::int32_t slope_multiplier = 0, slope_shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

enum class FloatBinaryKind { add, sub, mul, min, max, prelu };
/// What ONNX Runtime has no integer kernel for: both operands dequantized, a float32 operation, quantized.
struct OnnxFloatBinaryFunction {
  FloatBinaryKind kind = FloatBinaryKind::sub;
  float scale_a = 1.0F, scale_b = 1.0F, scale_c = 1.0F;
  std::int32_t zero_a = 0, zero_b = 0, zero_c = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

using BinaryFunction = std::variant<TfliteAddFunction, TfliteMulFunction, OnnxAddFunction, OnnxMulFunction,
                                    TfliteExtremumFunction, TflitePReluFunction, OnnxFloatBinaryFunction>;
[[nodiscard]] std::int64_t evaluate(const BinaryFunction& function, std::int64_t a, std::int64_t b);

// ---- a window (pooling, mean) ---------------------------------------------------------------------------

/// What a window of elements has gathered in the order of its elements (rows, then columns); padding is left
/// out of it.
struct WindowState {
  std::int64_t sum = 0;
  std::int64_t maximum = 0;
  std::int64_t count = 0;
  float real_sum = 0.0F;  ///< Of functions that sum dequantized values.
  void add(std::int64_t x) {
    maximum = (count == 0 || x > maximum) ? x : maximum;
    sum += x;
    ++count;
  }
  void add_real(float x) {
    real_sum += x;
    ++count;
  }
};

struct MaxPoolFunction {
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite AVERAGE_POOL_2D: (sum +- count/2) / count, truncated, clamped; scales of input and output are
/// equal.
struct TfliteAveragePoolFunction {
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// TFLite MEAN of int8 / int16 with the scales of input and output; formula above the evaluation.
struct TfliteMeanFunction {
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int32_t multiplier = 0, shift = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearGlobalAveragePool.
struct OnnxGlobalAveragePoolFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
};

/// ONNX Runtime QLinearAveragePool: float32 sum of dequantized elements.
struct OnnxAveragePoolFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int64_t divisor = 0;  ///< 0: the elements that the window has (padding not counted).
  std::int32_t clamp_min = -128, clamp_max = 127;

  [[nodiscard]] float real(std::int64_t x) const {
    return input_scale * static_cast<float>(x - input_zero_point);
  }
};

/// In which order a mean sums float32 values; formulas in onnx_mean.cpp.
enum class MeanOrder {
  sequential,      ///< One after the other.
  groups_of_four,  ///< Sums of four, one after the other.
  lanes,           ///< Eight partial sums from the first multiple of four of the model's memory on.
};

/// ONNX Runtime ReduceMean between DequantizeLinear and QuantizeLinear. It sums in the order of the model's
/// memory, which is not that of the graph's where the model has channels before rows.
struct OnnxMeanFunction {
  float input_scale = 1.0F, output_scale = 1.0F;
  std::int32_t input_zero_point = 0, output_zero_point = 0;
  std::int32_t clamp_min = -128, clamp_max = 127;
  MeanOrder order = MeanOrder::sequential;
  /// The k-th element that is summed is element permutation[k] of the window; empty: element k.
  std::vector<std::size_t> permutation;
  /// Elements of the model's memory from one output position to the next, last dimension first, modulo 4.
  std::vector<std::int64_t> position_strides;
};
/// `start`: where the first element lies in the model's memory, modulo 4.
[[nodiscard]] std::int64_t evaluate(const OnnxMeanFunction& function, std::span<const std::int64_t> elements,
                                    std::int64_t start);

using WindowFunction = std::variant<MaxPoolFunction, TfliteAveragePoolFunction, TfliteMeanFunction,
                                    OnnxGlobalAveragePoolFunction, OnnxAveragePoolFunction, OnnxMeanFunction>;
/// Adds the next element of a window, as the function sums; not for OnnxMeanFunction, which wants all
/// elements at once.
void accumulate(const WindowFunction& function, WindowState& window, std::int64_t x);
[[nodiscard]] std::int64_t evaluate(const WindowFunction& function, const WindowState& window);

// ---- a row ----------------------------------------------------------------------------------------------

/// Constants of a row function, one an element of the row, as bit patterns of float32; empty where absent.
struct RowParameters {
  std::span<const std::int64_t> gamma{}, beta{};
};

/// Operations that an element of a row takes.
struct RowWork {
  std::int64_t adds = 0, multiplies = 0, lookups = 0;
};

/// Any function of whole rows, held by value. A function `F` of rows has
///   void evaluate_row(const F&, std::span<const std::int64_t> in, std::span<std::int64_t> out,
///                     const RowParameters&)   for rows of at least one element, and
///   RowWork row_work(const F&).
class RowFunction {
 public:
  RowFunction() = default;  ///< Stands for some function; it cannot be evaluated.
  template <typename Function>
  requires(!std::is_same_v<Function, RowFunction>)
      RowFunction(Function function)  // NOLINT(google-explicit-constructor): as std::function
      : kernel_(std::make_shared<const KernelOf<Function>>(std::move(function))) {}

  void evaluate(std::span<const std::int64_t> in, std::span<std::int64_t> out,
                const RowParameters& parameters) const {
    if (!in.empty()) kernel_->evaluate(in, out, parameters);
  }
  [[nodiscard]] RowWork work() const { return kernel_ ? kernel_->work() : RowWork{}; }

 private:
  struct Kernel {
    virtual ~Kernel() = default;
    virtual void evaluate(std::span<const std::int64_t> in, std::span<std::int64_t> out,
                          const RowParameters& parameters) const = 0;
    [[nodiscard]] virtual RowWork work() const = 0;
  };
  template <typename Function>
  struct KernelOf final : Kernel {
    explicit KernelOf(Function f) : function(std::move(f)) {}
    void evaluate(std::span<const std::int64_t> in, std::span<std::int64_t> out,
                  const RowParameters& parameters) const override {
      evaluate_row(function, in, out, parameters);
    }
    [[nodiscard]] RowWork work() const override { return row_work(function); }
    Function function;
  };
  std::shared_ptr<const Kernel> kernel_;
};

/// One row; `in` and `out` have the same length.
inline void evaluate(const RowFunction& function, std::span<const std::int64_t> in,
                     std::span<std::int64_t> out, const RowParameters& parameters = {}) {
  function.evaluate(in, out, parameters);
}

// ---- resizing of rows and columns -----------------------------------------------------------------------

/// The one or two input positions of an output position and what they weigh.
struct ResizeTap {
  std::int64_t first = 0, second = 0;
  float first_weight = 1.0F, second_weight = 0.0F;
};

enum class ResizeArithmetic {
  nearest,            ///< The element at `first`.
  float_truncated,    ///< ONNX Runtime, channels before rows: float32 weights, fraction dropped.
  integer_truncated,  ///< ONNX Runtime, channels last: weights in 1/1024, fraction dropped.
  integer_rounded,    ///< TFLite: weights in 1/1024, rounded half away from zero.
  dequantized,        ///< ONNX Runtime: real values with float32 weights, quantized.
};

struct ResizeFunction {
  ResizeArithmetic arithmetic = ResizeArithmetic::nearest;
  std::vector<ResizeTap> rows, columns;  ///< One an output row, an output column.
  /// float_truncated: of this channel the sum takes each product in two halves.
  std::int64_t halved_channel = -1;
  DequantizeFunction from{};  ///< dequantized
  UnaryFunction to{};         ///< dequantized: a QuantizeFunction
};

/// Element (row, column, channel) of the output from the four elements at (rows[row].first or .second) x
/// (columns[column].first or .second).
struct ResizeNeighbours {
  std::int64_t first_first = 0, first_second = 0, second_first = 0, second_second = 0;  ///< Row, then column.
};
[[nodiscard]] std::int64_t evaluate(const ResizeFunction& function, std::size_t row, std::size_t column,
                                    std::int64_t channel, const ResizeNeighbours& x);

// ---- any of them ----------------------------------------------------------------------------------------

using VectorFunction =
    std::variant<UnaryFunction, BinaryFunction, WindowFunction, RowFunction, ResizeFunction>;

}  // namespace qsim::arithmetic
