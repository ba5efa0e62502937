#include "sim/compiler/schedule.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <unordered_set>

#include "hw_models/arithmetic/bit_packing.h"
#include "hw_models/core/nest_cursor.h"
#include "workloads/graph/chip_support.h"
#include "workloads/ops/definition.h"

namespace qsim {

namespace {

/// Inputs of a node that are activations in memory (weights and biases are not, shape operands are not). The
/// host's constants are reads of its own.
std::vector<TensorId> activation_inputs(const Graph& graph, const Node& node) {
  if (is_float_node(graph, node)) {
    std::vector<TensorId> inputs;
    std::copy_if(node.inputs.begin(), node.inputs.end(), std::back_inserter(inputs),
                 [&](TensorId id) { return id != kNoTensor && !graph.tensor(id).is_constant(); });
    return inputs;
  }
  const std::size_t count = definition(node.op).has_weights ? 1 : node.inputs.size();
  std::vector<TensorId> inputs;
  for (std::size_t i = 0; i < count; ++i) {
    if (node.inputs[i] != kNoTensor) inputs.push_back(node.inputs[i]);
  }
  return inputs;
}

/// No padding bits between the pixels of this view.
bool is_dense(const Shape& shape, int bits) {
  const std::int64_t channels = shape.empty() ? 1 : shape.back();
  return channels * bits % 8 == 0 || element_count(shape) == channels;
}

class Scheduler {
 public:
  Scheduler(const Graph& graph, std::int64_t pixel_granule, std::int64_t burst_bytes)
      : graph_(graph),
        pixel_granule_(pixel_granule),
        burst_bytes_(burst_bytes),
        outputs_(graph.outputs.begin(), graph.outputs.end()) {
    schedule_.storage_of.assign(graph.tensors.size(), -1);
  }

  Schedule run() {
    for (const TensorId id : graph_.inputs)
      schedule_.storages[static_cast<std::size_t>(own(id))].is_graph_input = true;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) add(i);
    for (const TensorId id : graph_.outputs)
      schedule_.storages[static_cast<std::size_t>(own(id))].is_graph_output = true;
    align_pixels();
    size_storages();
    return std::move(schedule_);
  }

 private:
  /// Storage of a tensor, made when it has none.
  int own(TensorId id) {
    int& storage = schedule_.storage_of[static_cast<std::size_t>(id)];
    if (storage < 0) {
      storage = static_cast<int>(schedule_.storages.size());
      Storage made;
      made.root = id;
      made.is_constant = graph_.tensor(id).is_constant();
      schedule_.storages.push_back(made);
      unpacked_.push_back(false);
    }
    return storage;
  }

  [[nodiscard]] bool is_output(TensorId id) const { return outputs_.contains(id); }

  void add(std::size_t index) {
    const Node& node = graph_.nodes[index];
    require_chip_support(graph_, node);
    const TensorId output = node.outputs[0];
    const OpDefinition& op = definition(node.op);
    const bool is_view = vector_access(node.op).pattern == AccessPattern::flat;
    if (is_view && share_storage(index)) return;
    ScheduledOp row;
    row.node = index;
    row.on_host = is_float_node(graph_, node);
    row.on_mac_array = !row.on_host && op.engine == Engine::mac_array;
    const int number = static_cast<int>(schedule_.rows.size());
    for (const TensorId id : activation_inputs(graph_, node)) {
      Storage& storage = schedule_.storages[static_cast<std::size_t>(own(id))];
      storage.last_row = number;
      if (!row.on_host && storage.first_reader < 0) storage.first_reader = number;
      storage.is_host_visible |= row.on_host;
      // Reshapes of graph inputs run with their first reader.
      if (auto found = pending_.extract(schedule_.storage_of[static_cast<std::size_t>(id)]))
        row.nodes.insert(row.nodes.end(), found.mapped().begin(), found.mapped().end());
    }
    if (op.needs_dense_input) require_dense(node.inputs[0]);
    if (is_view) require_dense(output);
    if (op.engine == Engine::mac_array && !op.has_weights) {
      schedule_.storages[static_cast<std::size_t>(own(node.inputs[1]))].is_weights = true;
    }
    require_whole_bytes(node);
    row.nodes.push_back(index);
    std::sort(row.nodes.begin(), row.nodes.end());
    Storage& made = schedule_.storages[static_cast<std::size_t>(own(output))];
    made.first_row = number;
    made.is_host_visible |= row.on_host;
    schedule_.rows.push_back(row);
  }

  /// A reshape is free: its output is its input's bytes. Not where a graph input would become a graph output
  /// without anything in between, nor for constants.
  bool share_storage(std::size_t index) {
    const Node& node = graph_.nodes[index];
    const TensorId input = node.inputs[0];
    const TensorId output = node.outputs[0];
    const int storage = own(input);
    const Storage& shared = schedule_.storages[static_cast<std::size_t>(storage)];
    if (shared.is_constant || (shared.first_row < 0 && is_output(output))) return false;
    schedule_.storage_of[static_cast<std::size_t>(output)] = storage;
    require_dense(input);
    require_dense(output);
    if (shared.first_row < 0) {
      pending_[storage].push_back(index);
    } else {
      schedule_.rows[static_cast<std::size_t>(shared.first_row)].nodes.push_back(index);
    }
    return true;
  }

  /// Elements of the tensor must follow each other without padding bits; where its width does not allow that,
  /// the storage holds whole bytes.
  void require_dense(TensorId id) {
    const Tensor& tensor = graph_.tensor(id);
    if (!is_dense(tensor.shape, memory_format(tensor).bits))
      unpacked_[static_cast<std::size_t>(own(id))] = true;
  }

  /// Operations that cut or join channels in the middle of a byte, or turn another dimension into channels,
  /// work on whole bytes.
  void require_whole_bytes(const Node& node) {
    const auto unpack = [this](TensorId id) {
      if (memory_format(graph_.tensor(id)).bits % 8 != 0) unpacked_[static_cast<std::size_t>(own(id))] = true;
    };
    const auto needs = definition(node.op).whole_bytes;
    if (needs == nullptr) return;
    const WholeBytes whole = needs(node.op, graph_.tensor(node.inputs[0]).shape);
    if (whole.first) unpack(node.inputs[0]);
    if (whole.second) unpack(node.inputs[1]);
    if (whole.output) unpack(node.outputs[0]);
  }

  /// The array reads and writes the node's tensors pixel by pixel as their shapes have them.
  [[nodiscard]] bool keeps_pixels(const Node& node) const {
    const OpDefinition& op = definition(node.op);
    if (!op.has_weights) return false;
    if (!op.needs_dense_input) return true;
    return graph_.tensor(node.inputs[0]).shape.back() == graph_.tensor(node.inputs[1]).shape.back();
  }

  void align_pixels() {
    std::vector<std::int64_t> channels(schedule_.storages.size(), 0);
    std::vector<bool> keeps(schedule_.storages.size(), true);
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
      if (schedule_.storage_of[t] < 0) continue;
      const auto s = static_cast<std::size_t>(schedule_.storage_of[t]);
      const std::int64_t own = dims_of(graph_.tensors[t].shape)[kChannel];
      if (channels[s] == 0) channels[s] = own;
      if (channels[s] != own) keeps[s] = false;
    }
    for (const ScheduledOp& row : schedule_.rows) {
      const Node& node = graph_.nodes[row.node];
      if (row.on_mac_array && keeps_pixels(node)) continue;
      for (const auto& tensors : {node.inputs, node.outputs}) {
        for (const TensorId id : tensors) {
          const int s = id == kNoTensor ? -1 : schedule_.storage_of[static_cast<std::size_t>(id)];
          if (s >= 0) keeps[static_cast<std::size_t>(s)] = false;
        }
      }
    }
    for (std::size_t s = 0; s < keeps.size(); ++s) {
      Storage& storage = schedule_.storages[s];
      if (!keeps[s] || storage.is_constant || storage.is_host_visible) continue;
      storage.pixel_granule = pixel_granule_;
      // A single pixel begins at a burst whatever it has.
      const Shape& shape = graph_.tensor(storage.root).shape;
      const bool has_pixels = element_count(shape) > dims_of(shape)[kChannel];
      if (pixel_granule_ == 1 && has_pixels) storage.pitch_bytes = burst_bytes_;
    }
  }

  void size_storages() {
    for (std::size_t t = 0; t < graph_.tensors.size(); ++t) {
      const int index = schedule_.storage_of[t];
      if (index < 0) continue;
      Storage& storage = schedule_.storages[static_cast<std::size_t>(index)];
      storage.format = memory_format(graph_.tensors[t]);
      if (unpacked_[static_cast<std::size_t>(index)]) storage.format.bits = (storage.format.bits + 7) / 8 * 8;
      storage.elements = element_count(graph_.tensors[t].shape);
      storage.bytes = std::max(storage.bytes, dense_bytes(dims_of(graph_.tensors[t].shape), storage.format,
                                                          storage.pixel_granule));
    }
  }

  const Graph& graph_;
  std::int64_t pixel_granule_;
  std::int64_t burst_bytes_;
  std::unordered_set<TensorId> outputs_;
  Schedule schedule_;
  std::vector<bool> unpacked_;  ///< By storage.
  /// Reshapes of graph inputs that no row has taken yet, by storage.
  std::map<int, std::vector<std::size_t>> pending_;
};

}  // namespace

Dims dims_of(const Shape& shape) {
  Dims dims{1, 1, 1, 1};
  const std::size_t rank = shape.size();
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t from_end = rank - 1 - i;
    dims[from_end >= kDims ? 0 : kDims - 1 - from_end] *= shape[i];
  }
  return dims;
}

namespace {

std::int64_t pixel_bytes(const Dims& dims, arithmetic::IntegerFormat format, std::int64_t granule) {
  return ceil_div(arithmetic::packed_bytes(dims[kChannel], format.bits), granule) * granule;
}

}  // namespace

TensorLayout dense_layout(const Dims& dims, arithmetic::IntegerFormat format, std::int64_t base,
                          std::int64_t pixel_granule) {
  TensorLayout layout;
  layout.base = base;
  layout.format = format;
  layout.strides[2] = pixel_bytes(dims, format, pixel_granule);
  layout.strides[1] = layout.strides[2] * dims[kColumn];
  layout.strides[0] = layout.strides[1] * dims[kRow];
  return layout;
}

std::int64_t dense_bytes(const Dims& dims, arithmetic::IntegerFormat format, std::int64_t pixel_granule) {
  return pixel_bytes(dims, format, pixel_granule) * dims[kColumn] * dims[kRow] * dims[kBatch];
}

arithmetic::IntegerFormat memory_format(const Tensor& tensor) {
  return tensor.quantization ? tensor.quantization->format() : arithmetic::IntegerFormat{32, true};
}

Schedule make_schedule(const Graph& graph, std::int64_t pixel_granule, std::int64_t burst_bytes) {
  return Scheduler(graph, pixel_granule, burst_bytes).run();
}

}  // namespace qsim
