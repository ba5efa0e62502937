#include "sim/chip_values.h"

#include <algorithm>

#include "workloads/graph/layout.h"

namespace qsim {

void ChipValues::collect(std::int32_t row, RowWindow window, const ChipMemory& memory) {
  const auto rows = static_cast<std::int32_t>(compiled_.rows.size());
  const std::int32_t part = row / rows % compiled_.program.parts;
  const TensorId id = graph_.nodes[compiled_.rows[static_cast<std::size_t>(row % rows)].node].outputs[0];
  std::vector<std::int64_t>& values = values_[compiled_.schedule.storage_of[static_cast<std::size_t>(id)]];
  if (const std::optional<std::vector<std::int64_t>> passed = memory.take_passed(row)) {
    values.resize(static_cast<std::size_t>(compiled_.program.parts) * passed->size());
    std::ranges::copy(*passed, values.begin() + part * static_cast<std::ptrdiff_t>(passed->size()));
    return;
  }
  const Placement placement = compiled_.placement(id, part);
  const Dims& dims = placement.dims;
  const std::int64_t image = dims[kRow] * dims[kColumn] * dims[kChannel];
  values.resize(static_cast<std::size_t>(compiled_.program.parts * dims[kBatch] * image));
  // The rows of the window of each image, one image behind the other.
  const std::vector<std::int64_t> own = memory.read(placement, window);
  const auto of_image = static_cast<std::ptrdiff_t>(own.size()) / dims[kBatch];
  const std::int64_t first = window.begin * dims[kColumn] * dims[kChannel];
  for (std::int64_t b = 0; b < dims[kBatch]; ++b) {
    std::copy(own.begin() + b * of_image, own.begin() + (b + 1) * of_image,
              values.begin() + (part * dims[kBatch] + b) * image + first);
  }
}

NamedTensor ChipValues::computed(TensorId id) const {
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
  out.data = to_model_layout(std::move(out.data), info);
  return out;
}

NamedTensor ChipValues::tensor(TensorId id, const std::vector<TensorData>& inputs) const {
  const Tensor& info = graph_.tensor(id);
  if (info.data) return {info.name, to_model_layout(*info.data, info), info.quantization};
  const int storage = compiled_.schedule.storage_of[static_cast<std::size_t>(id)];
  if (values_.contains(storage)) return computed(id);
  // No row makes it: a graph input, or a reshape of one.
  std::size_t i = 0;
  while (compiled_.schedule.storage_of[static_cast<std::size_t>(graph_.inputs[i])] != storage) ++i;
  TensorData view = inputs[i];
  view.shape = info.shape;
  return {info.name, to_model_layout(std::move(view), info), info.quantization};
}

std::vector<NamedTensor> ChipValues::outputs(const std::vector<TensorData>& inputs) const {
  std::vector<NamedTensor> tensors;
  for (const TensorId id : graph_.outputs) tensors.push_back(tensor(id, inputs));
  return tensors;
}

std::vector<NamedTensor> ChipValues::dump(const std::vector<TensorData>& inputs) const {
  std::vector<NamedTensor> tensors;
  for (const TensorId id : graph_.inputs) tensors.push_back(tensor(id, inputs));
  for (const Node& node : graph_.nodes) {
    for (const TensorId id : node.outputs) tensors.push_back(tensor(id, inputs));
  }
  return tensors;
}

}  // namespace qsim
