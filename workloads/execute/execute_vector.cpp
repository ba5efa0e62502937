// Nodes on the vector unit that compute: elementwise, windows and rows. The functions are
// hw_models/arithmetic/vector_functions.h, the same that the tile-level vector unit evaluates.
#include <algorithm>
#include <bit>

#include "workloads/execute/execute_nodes.h"
#include "workloads/execute/mean_cursor.h"
#include "workloads/graph/broadcast.h"

namespace qsim {
namespace {

using namespace arithmetic;

/// Table lookup over a whole tensor.
template <typename In, typename Out>
void look_up(const TableFunction& function, std::span<const In> in, std::span<Out> out) {
  const std::int32_t* table = function.table.data() - function.input.min();
  for (std::size_t i = 0; i < in.size(); ++i) out[i] = static_cast<Out>(table[in[i]]);
}

void apply(const CopyFunction&, const TensorData& in, TensorData& out) {
  out.bytes = in.bytes;
}

void apply(const TableFunction& function, const TensorData& in, TensorData& out) {
  visit_element_type(in.type, [&](auto in_zero) {
    visit_element_type(out.type, [&](auto out_zero) {
      look_up(function, in.as<decltype(in_zero)>(), out.as<decltype(out_zero)>());
    });
  });
}

void apply(const QuantizeFunction& function, const TensorData& in, TensorData& out) {
  const UnaryFunction any = function;
  const auto bits = in.as<std::uint32_t>();
  visit_element_type(out.type, [&](auto zero) {
    using Out = decltype(zero);
    const std::span<Out> y = out.as<Out>();
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = static_cast<Out>(evaluate(any, bits[i]));
  });
}

void apply(const DequantizeFunction& function, const TensorData& in, TensorData& out) {
  const UnaryFunction any = function;
  const auto bits = out.as<std::uint32_t>();
  const auto dequantize = [&](auto zero) {
    const auto x = in.as<decltype(zero)>();
    for (std::size_t i = 0; i < x.size(); ++i) bits[i] = static_cast<std::uint32_t>(evaluate(any, x[i]));
  };
  in.type == ElementType::i32 ? dequantize(std::int32_t{}) : visit_element_type(in.type, dequantize);
}

template <typename A, typename B, typename Out>
void combine(const BinaryFunction& function, const TensorData& a, const TensorData& b, TensorData& out) {
  BroadcastCursor cursor(a.shape, b.shape, out.shape);
  const std::int64_t run = out.shape.empty() ? 1 : out.shape.back();
  const std::int64_t step_a = cursor.last_stride(0);
  const std::int64_t step_b = cursor.last_stride(1);
  Out* y = out.as<Out>().data();
  for (std::int64_t done = 0; done < out.size(); done += run, cursor.next_run()) {
    const A* x1 = a.as<A>().data() + cursor.offset(0);
    const B* x2 = b.as<B>().data() + cursor.offset(1);
    for (std::int64_t i = 0; i < run; ++i, x1 += step_a, x2 += step_b) {
      *y++ = static_cast<Out>(evaluate(function, *x1, *x2));
    }
  }
}

/// The window of one output pixel, all channels at once; `add` puts an element into its channel's window.
template <typename T, typename Add>
void add_window(const Pool2dOp& op, const TensorData& in, std::int64_t image, std::int64_t out_y,
                std::int64_t out_x, std::span<WindowState> windows, const Add& add) {
  const std::int64_t height = in.shape[1];
  const std::int64_t width = in.shape[2];
  const auto channels = static_cast<std::int64_t>(windows.size());
  const std::int64_t y0 = out_y * op.stride_h - op.pad_top;
  const std::int64_t x0 = out_x * op.stride_w - op.pad_left;
  for (std::int64_t y = std::max<std::int64_t>(y0, 0); y < std::min(y0 + op.kernel_h, height); ++y) {
    for (std::int64_t x = std::max<std::int64_t>(x0, 0); x < std::min(x0 + op.kernel_w, width); ++x) {
      const T* pixel = in.as<T>().data() + ((image * height + y) * width + x) * channels;
      for (std::size_t c = 0; c < windows.size(); ++c) add(windows[c], pixel[c]);
    }
  }
}

/// Bit patterns of an operand's floats; none where it is absent.
std::vector<std::int64_t> float_bits(const Operands& inputs, std::size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr) return {};
  const auto bits = inputs[index]->as<std::uint32_t>();
  return {bits.begin(), bits.end()};
}

/// Every output of a mean whose order shows: its elements in the order of the graph's axes.
void run_ordered_mean(const OnnxMeanFunction& function, const MeanOp& op, const TensorData& input,
                      TensorData& output) {
  std::vector<std::vector<std::int64_t>> elements(static_cast<std::size_t>(output.size()));
  std::vector<std::int64_t> starts(elements.size(), 0);
  MeanCursor cursor(op, input.shape);
  const std::size_t rank = input.shape.size();
  for (std::int64_t i = 0; i < input.size(); ++i, cursor.next()) {
    std::vector<std::int64_t>& window = elements[cursor.offset()];
    if (window.empty()) {
      for (std::size_t d = 0; d < rank; ++d) {
        starts[cursor.offset()] += cursor.index(d) * function.position_strides[rank - 1 - d];
      }
    }
    window.push_back(input.at(i));
  }
  for (std::size_t i = 0; i < elements.size(); ++i) {
    output.set(static_cast<std::int64_t>(i), evaluate(function, elements[i], starts[i] % 4));
  }
}

}  // namespace

void run_unary(const Graph& graph, const Node& node, const TensorData& input, TensorData& output) {
  std::visit([&](const auto& function) { apply(function, input, output); }, unary_function(graph, node));
}

void run_binary(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output) {
  const BinaryFunction function = binary_function(graph, node);
  const TensorData& a = *inputs[0];
  const TensorData& b = *inputs[1];
  visit_element_type(a.type, [&](auto a_zero) {
    visit_element_type(b.type, [&](auto b_zero) {
      visit_element_type(output.type, [&](auto out_zero) {
        combine<decltype(a_zero), decltype(b_zero), decltype(out_zero)>(function, a, b, output);
      });
    });
  });
}

void run_pool(const Graph& graph, const Node& node, const TensorData& input, TensorData& output) {
  const WindowFunction function = window_function(graph, node);
  const auto* average = std::get_if<OnnxAveragePoolFunction>(&function);
  const auto& op = std::get<Pool2dOp>(node.op);
  visit_element_type(input.type, [&](auto zero) {
    using T = decltype(zero);
    T* y = output.as<T>().data();
    std::vector<WindowState> windows(static_cast<std::size_t>(output.shape[3]));
    const std::int64_t pixels = output.shape[0] * output.shape[1] * output.shape[2];
    for (std::int64_t p = 0; p < pixels; ++p) {
      std::fill(windows.begin(), windows.end(), WindowState{});
      const std::int64_t out_x = p % output.shape[2];
      const std::int64_t out_y = p / output.shape[2] % output.shape[1];
      const std::int64_t image = p / (output.shape[2] * output.shape[1]);
      if (average != nullptr) {
        add_window<T>(op, input, image, out_y, out_x, windows,
                      [average](WindowState& window, T q) { window.add_real(average->real(q)); });
      } else {
        add_window<T>(op, input, image, out_y, out_x, windows,
                      [](WindowState& window, T q) { window.add(q); });
      }
      for (const WindowState& window : windows) *y++ = static_cast<T>(evaluate(function, window));
    }
  });
}

void run_mean(const Graph& graph, const Node& node, const TensorData& input, TensorData& output) {
  const WindowFunction function = window_function(graph, node);
  const auto& op = std::get<MeanOp>(node.op);
  if (const auto* ordered = std::get_if<OnnxMeanFunction>(&function)) {
    return run_ordered_mean(*ordered, op, input, output);
  }
  std::vector<WindowState> windows(static_cast<std::size_t>(output.size()));
  MeanCursor cursor(op, input.shape);
  visit_element_type(input.type, [&](auto zero) {
    for (const auto x : input.as<decltype(zero)>()) {
      windows[cursor.offset()].add(x);
      cursor.next();
    }
  });
  for (std::size_t i = 0; i < windows.size(); ++i) {
    output.set(static_cast<std::int64_t>(i), evaluate(function, windows[i]));
  }
}

void run_rows(const Graph& graph, const Node& node, const Operands& inputs, TensorData& output) {
  const RowFunction function = row_function(graph, node);
  const TensorData& input = *inputs[0];
  const std::vector<std::int64_t> gamma = float_bits(inputs, 1);
  const std::vector<std::int64_t> beta = float_bits(inputs, 2);
  const std::int64_t length = input.shape.back();
  std::vector<std::int64_t> in(static_cast<std::size_t>(length));
  std::vector<std::int64_t> out(in.size());
  for (std::int64_t begin = 0; begin < input.size(); begin += length) {
    for (std::int64_t i = 0; i < length; ++i) in[static_cast<std::size_t>(i)] = input.at(begin + i);
    evaluate(function, in, out, {gamma, beta});
    for (std::int64_t i = 0; i < length; ++i) output.set(begin + i, out[static_cast<std::size_t>(i)]);
  }
}

}  // namespace qsim
