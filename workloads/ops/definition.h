// Everything that is known of an operation, in one row. The rows of a family are in a file of this folder,
// with the functions that their columns name; nothing outside switches over operations (docs/ops.md).
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hw_models/arithmetic/vector_functions.h"
#include "workloads/graph/conv_geometry.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/shape_inference.h"
#include "workloads/ops/real_range.h"

namespace qsim {

class NodeCheck;  // node_check.h
class OpFields;   // fields.h
struct NodeRun;   // run.h

/// A name under which workload files and reports know an operation.
struct OpForm {
  std::string_view name;
  std::string_view description;
  Op prototype;  ///< What its fields are read into.
};

/// How many inputs there are; those from `optional_from` on may be absent.
struct OperandCount {
  std::size_t min = 1, max = 1;
  std::size_t optional_from = std::numeric_limits<std::size_t>::max();
};
/// Most inputs of an operation that takes any number.
inline constexpr std::size_t kMaxOperands = 1024;

enum class Engine {
  mac_array,    ///< A matrix product; `geometry` says which.
  vector_unit,  ///< `function` is what it evaluates, `access` which elements it reads.
};

/// Where the output's quantization comes from.
enum class OutputGrid {
  own,       ///< The node's own.
  follows,   ///< The node's own; where a workload file has none, the input's, which holds all values.
  copied,    ///< As `follows`, and the integers are the input's.
  kept,      ///< The input's: the integers are some of the input's, or means of them.
  compared,  ///< That of both inputs, whose integers are compared as they are.
};

/// Which elements of its inputs the vector unit reads for an output element.
enum class AccessPattern {
  elementwise,  ///< The same.
  flat,         ///< The same in memory: another shape.
  broadcast,    ///< Of two operands, repeated as numpy does.
  window,       ///< A window of rows and columns.
  reduction,    ///< All along some axes.
  move,         ///< One, by axis: index of the output's axis that reads it * stride + offset.
  join,         ///< One input after the other along an axis.
  rows,         ///< The whole last dimension, and constants for it.
  pixels,       ///< Neighbouring pixels, which the function names.
};
struct VectorAccess {
  AccessPattern pattern = AccessPattern::elementwise;
  std::array<std::int64_t, 2> kernel{1, 1}, stride{1, 1}, pad_before{0, 0};  ///< window: rows, columns
  std::vector<int> axes{};                                 ///< reduction; join: the one axis
  std::vector<std::int64_t> move_stride{}, move_offset{};  ///< move, by axis of the input; empty: 1 and 0
  std::vector<int> move_axis{};  ///< move: output axis i reads input axis [i]; empty: i
  std::int64_t pad_value = 0;    ///< move: what is outside the input
  Shape extent{};                ///< move: elements to compute; empty: the output's shape
};

/// Operands whose elements must fill whole bytes: the operation cuts or joins channels in the middle of one.
struct WholeBytes {
  bool first = false, second = false, output = false;
};

/// Element type of the output beside the inputs'.
enum class OutputType {
  as_input,  ///< Floats of floats, integers of integers.
  integers,
  reals,
};

struct OpDefinition {
  std::span<const OpForm> forms{};
  /// Which form a node is; nullptr: the only one.
  std::size_t (*form)(const Graph& graph, const Node& node) = nullptr;

  // ---- operands ----
  OperandCount operands{};
  /// Input 1 is weights [output channels, ..], input 2 their bias.
  bool has_weights = false;
  /// Of the "inputs" of a workload file; empty: it has one "input".
  std::string_view inputs_description{};
  /// Inputs that decide the output's shape; 0: all.
  std::size_t shape_operands = 0;
  /// Constant operands are activations like others: they have the same grids and widths.
  bool constants_are_activations = false;

  // ---- fields, shapes, checks ----
  void (*fields)(Op& op, OpFields& fields) = nullptr;
  /// nullptr: the first input's.
  InferredShape (*shape)(const Op& op, std::span<const Shape> inputs,
                         const std::optional<Shape>& declared) = nullptr;
  void (*check)(const Op& op, NodeCheck& check) = nullptr;
  /// Quotients of scales that the operation multiplies by; nullptr: it copies integers or makes floats.
  void (*check_scales)(const Op& op, NodeCheck& check) = nullptr;
  /// Why it mixes the elements of a batch, or "".
  std::string (*batch_obstacle)(const Op& op, const Shape& input) = nullptr;
  void (*set_batch)(Op& op, std::int64_t batch) = nullptr;

  // ---- quantization ----
  OutputType makes = OutputType::as_input;
  OutputGrid (*grid)(const Op& op, Semantics semantics) = nullptr;  ///< nullptr: OutputGrid::own
  /// No value leaves the first input's range, so that one grid serves both.
  bool stays_in_range = false;
  /// f(s x) = s f(x) for positive factors s, one a channel (index of the last dimension) of the first input;
  /// in the output element e has that of channel e modulo their number. White paper, section 3.2. nullptr:
  /// not so.
  bool (*keeps_factors)(const Op& op, const Shape& input) = nullptr;
  /// All values lie in it: TFLite then fixes the output's scale and zero point.
  std::optional<RealRange> (*range)(const Op& op) = nullptr;
  /// TFLite copies integers of more than 8 bits whatever their scales.
  bool copies_wide_integers = false;
  /// Fields in the output's integers, when its quantization changes or appears.
  void (*requantize)(Op& op, const Quantization& before, const Quantization& after) = nullptr;
  void (*quantize)(Op& op, const Quantization& output) = nullptr;
  /// Why neither runtime of the graph's semantics has integer arithmetic for the node, or "".
  std::string (*obstacle)(const Graph& graph, const Node& node) = nullptr;

  // ---- where it runs ----
  Engine engine = Engine::vector_unit;
  bool is_float_only = false;
  /// The host computes it and gives integers of a float tensor.
  bool quantizes_by_range = false;
  ConvGeometry (*geometry)(const Graph& graph, const Node& node) = nullptr;
  /// `input` tells apart the inputs of AccessPattern::join.
  arithmetic::VectorFunction (*function)(const Graph& graph, const Node& node, std::size_t input) = nullptr;
  VectorAccess (*access)(const Op& op) = nullptr;  ///< nullptr: elementwise
  /// Elements of its input follow each other in memory without gaps, as another shape sees them.
  bool needs_dense_input = false;
  WholeBytes (*whole_bytes)(const Op& op, const Shape& input) = nullptr;
  bool has_tables = false;  ///< Its function is a table of all integers of each input.
  std::int64_t (*scratch_bytes)(const Graph& graph, const Node& node) = nullptr;

  // ---- values; nullptr: run_vector_function(), and of the MAC array the executor's kernels ----
  void (*run)(const NodeRun& run) = nullptr;
  void (*run_float)(const NodeRun& run) = nullptr;
};

/// The row of an operation.
[[nodiscard]] const OpDefinition& definition(const Op& op);
/// All rows, in the order of the alternatives of Op.
[[nodiscard]] std::span<const OpDefinition* const> definitions();
/// Form of a name; nullptr where there is none.
[[nodiscard]] const OpForm* find_form(std::string_view name);
/// Form of a node.
[[nodiscard]] const OpForm& form_of(const Graph& graph, const Node& node);
/// Names of all forms, in the order of the rows.
[[nodiscard]] const std::vector<std::string>& op_names();

// ---- questions to a row ----------------------------------------------------------------------------------

[[nodiscard]] OutputGrid output_grid(const Op& op, Semantics semantics);
/// The output has the input's integers at its scale, or means of them.
[[nodiscard]] bool keeps_integers(const Op& op, Semantics semantics);
[[nodiscard]] std::optional<RealRange> value_range(const Op& op);
/// What TFLite fixes for values of a range, of 8 or 16 bits: 1/256 from -128, 1/128 with a sign, 1/32768.
[[nodiscard]] Quantization tflite_fixed_grid(const RealRange& range, int bits);
/// Fused activation; nullptr where the operation has none.
[[nodiscard]] const Activation* fused_activation(const Op& op);
[[nodiscard]] Activation* fused_activation(Op& op);
/// What the vector unit evaluates for a node.
[[nodiscard]] arithmetic::VectorFunction vector_function(const Graph& graph, const Node& node,
                                                         std::size_t input = 0);
[[nodiscard]] VectorAccess vector_access(const Op& op);

// ---- writing rows ----------------------------------------------------------------------------------------

namespace detail {
template <auto Function>
struct Column;
template <typename Result, typename Concrete, typename... Rest, Result (*Function)(Concrete, Rest...)>
struct Column<Function> {
  using Stored = std::conditional_t<std::is_const_v<std::remove_reference_t<Concrete>>, const Op&, Op&>;
  static Result call(Stored op, Rest... rest) {
    return Function(std::get<std::remove_cvref_t<Concrete>>(op), std::forward<Rest>(rest)...);
  }
};
}  // namespace detail

/// A column from a function of one alternative of Op. A row is an `extern const OpDefinition` of its file,
/// named in the table of definitions.cpp.
template <auto Function>
inline constexpr auto column = &detail::Column<Function>::call;

}  // namespace qsim
