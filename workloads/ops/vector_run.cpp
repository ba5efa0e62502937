// Values of the functions of elements and rows: the same that the tile-level vector unit evaluates
// (hw_models/arithmetic/vector_functions.h).
#include <bit>

#include "workloads/graph/broadcast.h"
#include "workloads/ops/block_rows.h"
#include "workloads/ops/definition.h"
#include "workloads/ops/run.h"

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

/// Bit patterns of an operand's floats; none where it is absent.
std::vector<std::int64_t> float_bits(const Operands& inputs, std::size_t index) {
  if (index >= inputs.size() || inputs[index] == nullptr) return {};
  const auto bits = inputs[index]->as<std::uint32_t>();
  return {bits.begin(), bits.end()};
}

void run_function(const NodeRun& run, const UnaryFunction& function) {
  std::visit([&](const auto& kind) { apply(kind, run.x(), run.output); }, function);
}

void run_function(const NodeRun& run, const BinaryFunction& function) {
  const TensorData& a = *run.inputs[0];
  const TensorData& b = *run.inputs[1];
  visit_element_type(a.type, [&](auto a_zero) {
    visit_element_type(b.type, [&](auto b_zero) {
      visit_element_type(run.output.type, [&](auto out_zero) {
        combine<decltype(a_zero), decltype(b_zero), decltype(out_zero)>(function, a, b, run.output);
      });
    });
  });
}

void run_function(const NodeRun& run, const RowFunction& function) {
  if (vector_access(run.node.op).pattern != AccessPattern::rows) return run_rows_together(run, function);
  const TensorData& input = run.x();
  const std::vector<std::int64_t> gamma = float_bits(run.inputs, 1);
  const std::vector<std::int64_t> beta = float_bits(run.inputs, 2);
  const std::int64_t length = input.shape.back();
  std::vector<std::int64_t> in(static_cast<std::size_t>(length));
  std::vector<std::int64_t> out(in.size());
  for (std::int64_t begin = 0; begin < input.size(); begin += length) {
    for (std::int64_t i = 0; i < length; ++i) in[static_cast<std::size_t>(i)] = input.at(begin + i);
    evaluate(function, in, out, {gamma, beta});
    for (std::int64_t i = 0; i < length; ++i) run.output.set(begin + i, out[static_cast<std::size_t>(i)]);
  }
}

/// Windows and pixels: the operation knows them.
template <typename OtherFunction>
void run_function(const NodeRun& /*run*/, const OtherFunction& /*function*/) {
  throw std::logic_error("the operation computes its own values");
}

}  // namespace

void run_vector_function(const NodeRun& run, const VectorFunction& function) {
  std::visit([&](const auto& kind) { run_function(run, kind); }, function);
}

}  // namespace qsim
