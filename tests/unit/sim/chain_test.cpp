// What follows from a chain: worked out by hand.
#include "sim/compiler/chain.h"

#include <catch2/catch.hpp>

#include "sim/compiler/lower.h"

namespace {

using qsim::Chain;
using qsim::ChainLayout;
using qsim::TensorId;
using Ends = std::vector<std::vector<std::int64_t>>;

/// A network of 8-bit tensors without values.
class Network {
 public:
  TensorId input(const qsim::Shape& shape) {
    graph_.inputs.push_back(add(shape));
    return graph_.inputs.back();
  }
  /// With padding of half a kernel on all sides.
  TensorId convolution(TensorId x, std::int64_t kernel, std::int64_t stride, std::int64_t channels) {
    const qsim::Shape in = graph_.tensor(x).shape;
    qsim::Conv2dOp op;
    op.stride_h = op.stride_w = stride;
    op.pad_top = op.pad_bottom = op.pad_left = op.pad_right = kernel / 2;
    const TensorId weights = add({channels, kernel, kernel, in[3]});
    graph_.tensor(weights).data = qsim::TensorData(qsim::ElementType::i8, graph_.tensor(weights).shape);
    const auto size = [&](std::int64_t of) { return (of + kernel / 2 * 2 - kernel) / stride + 1; };
    return node(op, {x, weights, qsim::kNoTensor}, {1, size(in[1]), size(in[2]), channels});
  }
  TensorId sum(TensorId a, TensorId b) {
    return node(qsim::BinaryOp{qsim::BinaryKind::add, qsim::Activation::none}, {a, b},
                graph_.tensor(a).shape);
  }

  std::optional<ChainLayout> lay_out(const Chain& chain, TensorId output) {
    graph_.outputs = {output};
    const qsim::Schedule schedule = qsim::make_schedule(graph_);
    std::vector<qsim::LoweredRow> lowered;
    for (std::size_t row = 0; row < schedule.rows.size(); ++row)
      lowered.push_back(qsim::lower(graph_, schedule, static_cast<std::int32_t>(row), {}));
    storage_of_ = schedule.storage_of;
    return qsim::lay_out(chain, schedule, lowered, {});
  }
  [[nodiscard]] int storage_of(TensorId id) const { return storage_of_[static_cast<std::size_t>(id)]; }

 private:
  TensorId add(const qsim::Shape& shape) {
    qsim::Quantization q;
    q.scales = {0.5F};
    q.zero_points = {0};
    qsim::Tensor tensor;
    tensor.name = "t" + std::to_string(graph_.tensors.size());
    tensor.shape = shape;
    tensor.quantization = q;
    graph_.tensors.push_back(tensor);
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }
  TensorId node(qsim::Op op, std::vector<TensorId> inputs, const qsim::Shape& shape) {
    const TensorId output = add(shape);
    qsim::Node made;
    made.name = graph_.tensor(output).name;
    made.op = std::move(op);
    made.inputs = std::move(inputs);
    made.outputs = {output};
    graph_.nodes.push_back(std::move(made));
    return output;
  }

  qsim::Graph graph_;
  std::vector<int> storage_of_;
};

TEST_CASE("each row of a chain makes what the rows behind it are going to read, and no row twice") {
  Network network;
  const TensorId x = network.input({1, 12, 12, 4});
  const TensorId a = network.convolution(x, 3, 1, 8);
  const TensorId b = network.convolution(a, 3, 2, 8);
  const auto layout = network.lay_out({0, 1, 2}, b);
  REQUIRE(layout);
  // Rows 0..1 of b read rows -1..3 of a, rows 2..3 rows 3..7, rows 4..5 rows 7..11.
  CHECK(layout->ends == Ends{{4, 8, 12}, {2, 4, 6}});
  // Alive: 0..3, 3..7, 7..11.
  CHECK(layout->rings == std::map<int, std::int64_t>{{network.storage_of(a), 5}});
  // Rows 0..3 of a read rows up to 4 of x, the next stripe up to 8, the last to 11; it begins with row 3, 7.
  // Alive while a stripe runs and the next is fetched: 0..8, 3..11, 7..11.
  CHECK(layout->fetched_rings == std::map<int, std::int64_t>{{network.storage_of(x), 9}});
}

TEST_CASE("what a sum reads beside a chain of convolutions lives as long as the sum needs it") {
  Network network;
  const TensorId x = network.input({1, 8, 8, 4});
  const TensorId a = network.convolution(x, 1, 1, 4);
  const TensorId b = network.convolution(a, 3, 1, 4);
  const TensorId c = network.convolution(b, 3, 1, 4);
  const TensorId y = network.sum(a, c);
  const auto layout = network.lay_out({0, 3, 2}, y);
  REQUIRE(layout);
  // Two rows further up each time: halos of a row above and below.
  CHECK(layout->ends == Ends{{4, 6, 8, 8}, {3, 5, 7, 8}, {2, 4, 6, 8}, {2, 4, 6, 8}});
  // Of a rows 0..3, then 2..5 (the sum reads rows 2, 3), 4..7, 6..7; b: 0..2, 1..4, 3..6, 5..7.
  CHECK(layout->rings == std::map<int, std::int64_t>{{network.storage_of(a), 4},
                                                     {network.storage_of(b), 4},
                                                     {network.storage_of(c), 2}});
}

TEST_CASE("rows of which no other of the chain reads the output are no chain") {
  Network network;
  const TensorId x = network.input({1, 8, 8, 4});
  const TensorId a = network.convolution(x, 1, 1, 4);
  const TensorId b = network.convolution(x, 3, 1, 4);
  const TensorId y = network.sum(a, b);
  CHECK_FALSE(network.lay_out({0, 1, 2}, y));
  CHECK(network.lay_out({0, 2, 2}, y));
  CHECK_FALSE(network.lay_out({0, 3, 2}, y));
  CHECK_FALSE(network.lay_out({2, 2, 2}, y));
}

}  // namespace
