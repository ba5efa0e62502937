#include "sim/chip_values.h"

namespace qsim {

void ChipValues::collect(std::int32_t row, const ChipMemory& memory) {
  const auto index = static_cast<std::size_t>(row) % compiled_.rows.size();
  const TensorId id = graph_.nodes[compiled_.rows[index].node].outputs[0];
  values_[compiled_.schedule.storage_of[static_cast<std::size_t>(id)]] =
      memory.read(compiled_.placements.at(id));
}

NamedTensor ChipValues::tensor(TensorId id) const {
  const Tensor& info = graph_.tensor(id);
  const std::vector<std::int64_t>& values =
      values_.at(compiled_.schedule.storage_of[static_cast<std::size_t>(id)]);
  NamedTensor out{info.name, TensorData(info.type, info.shape), info.quantization};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (info.is_float()) {
      out.data.as<std::int32_t>()[i] = static_cast<std::int32_t>(values[i]);  // the bit pattern
    } else {
      out.data.set(static_cast<std::int64_t>(i), values[i]);
    }
  }
  return out;
}

std::vector<NamedTensor> ChipValues::outputs() const {
  std::vector<NamedTensor> tensors;
  for (const TensorId id : graph_.outputs) tensors.push_back(tensor(id));
  return tensors;
}

std::vector<NamedTensor> ChipValues::dump(const std::vector<TensorData>& inputs) const {
  std::vector<NamedTensor> tensors;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& info = graph_.tensor(graph_.inputs[i]);
    tensors.push_back({info.name, inputs[i], info.quantization});
  }
  for (const Node& node : graph_.nodes) {
    for (const TensorId id : node.outputs) {
      // A reshape of a graph input has the input's values.
      const int storage = compiled_.schedule.storage_of[static_cast<std::size_t>(id)];
      if (values_.contains(storage)) {
        tensors.push_back(tensor(id));
        continue;
      }
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (compiled_.schedule.storage_of[static_cast<std::size_t>(graph_.inputs[i])] != storage) continue;
        TensorData view = inputs[i];
        view.shape = graph_.tensor(id).shape;
        tensors.push_back({graph_.tensor(id).name, std::move(view), graph_.tensor(id).quantization});
      }
    }
  }
  return tensors;
}

}  // namespace qsim
