// From graph nodes to scheduled operations: what runs together, what costs nothing, which tensors share
// storage.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hw_models/program.h"
#include "workloads/graph/graph.h"

namespace qsim {

/// One row of the report: a node that computes and the nodes that come free with it (reshapes).
struct ScheduledOp {
  std::size_t node = 0;            ///< Index of the node that computes.
  std::vector<std::size_t> nodes;  ///< All nodes, in graph order.
  bool on_mac_array = false;
  bool on_host = false;  ///< A float node.
};

/// Tensors that are the same bytes (a reshape and its input).
struct Storage {
  TensorId root = kNoTensor;
  std::int64_t elements = 0;
  /// Format of its elements in memory: the tensor's bits, or whole bytes where a reshape would otherwise move
  /// padding bits.
  arithmetic::IntegerFormat format{};
  std::int64_t bytes = 0;          ///< Largest of its views.
  std::int64_t pixel_granule = 1;  ///< Bytes that a pixel's channels are rounded up to.
  std::int64_t pitch_bytes = 0;    ///< Its pixels may begin at multiples of this in DRAM; 0: they may not.
  int first_row = -1;              ///< Row that produces it; -1: there before the run.
  int last_row = -1;               ///< Last row that reads it.
  int first_reader = -1;           ///< First row of the chip that reads it.
  bool is_constant = false;
  bool is_weights = false;  ///< Weights of a product of activations: DRAM holds it.
  bool is_graph_input = false;
  bool is_graph_output = false;
  bool is_host_visible = false;  ///< The host reads or writes it: it lies in DRAM.
  bool is_passed = false;        ///< It goes from one operation to the next, and lies in no memory.
  bool may_be_fetched = true;    ///< The first row that reads it can load it whole.
};

struct Schedule {
  std::vector<ScheduledOp> rows;
  std::vector<Storage> storages;
  std::vector<int> storage_of;  ///< By tensor id; -1 for tensors that no memory of activations holds.
};

/// Extents of a tensor as batch, row, column, channel: missing leading dimensions are 1, surplus ones are
/// folded into the batch.
[[nodiscard]] Dims dims_of(const Shape& shape);
/// Dense layout at `base`: channels packed at the format's bits, pixels at whole bytes, or granules of them.
[[nodiscard]] TensorLayout dense_layout(const Dims& dims, arithmetic::IntegerFormat format, std::int64_t base,
                                        std::int64_t pixel_granule = 1);
[[nodiscard]] std::int64_t dense_bytes(const Dims& dims, arithmetic::IntegerFormat format,
                                       std::int64_t pixel_granule = 1);
/// Format of a tensor's elements: its quantization's, or 32 bits for floats.
[[nodiscard]] arithmetic::IntegerFormat memory_format(const Tensor& tensor);

/// InputError where a node cannot be mapped (rank, operands), with its place. Pixels of tensors that only the
/// MAC array reads and writes, as equally many channels, take whole granules; of 1, they may begin at bursts
/// of the DRAM instead (dram_pitch.h).
[[nodiscard]] Schedule make_schedule(const Graph& graph, std::int64_t pixel_granule = 1,
                                     std::int64_t burst_bytes = 0);

}  // namespace qsim
