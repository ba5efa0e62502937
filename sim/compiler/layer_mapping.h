// How a row of the report was executed, as one value: printed, compared, written as JSON, read back
// (docs/mapping.md).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

#include "hw_models/gemm.h"
#include "hw_models/vector_operation.h"

namespace qsim {

/// What a row is executed together with: stripe by stripe (chain.h), or on a way out (way_out.h).
struct RowFusion {
  std::vector<std::string> fused_with;  ///< The other rows, in order; none: it runs by itself.
  std::int64_t stripe_rows = 0;         ///< Rows of the last row's output that a stripe adds; 0: no stripes.

  friend bool operator==(const RowFusion&, const RowFusion&) = default;
};

/// A row of the MAC array.
struct GemmLayerMapping {
  GemmMapping mapping;
  std::int64_t activation_bytes = 0;     ///< See VectorLayerMapping.
  bool weights_are_activations = false;  ///< They come from the tensor of another row.
  // What follows from problem and mapping.
  std::int64_t tile_channels = 1;  ///< Output channels of a tile: those of a block.
  std::int64_t weight_blocks = 1;
  std::int64_t reduction_parts = 1;
  std::int64_t images_together = 0;  ///< See VectorLayerMapping.
  bool has_addend = false;           ///< An adder on the way out reads a second operand.
  RowFusion fusion{};

  friend bool operator==(const GemmLayerMapping&, const GemmLayerMapping&) = default;
};

/// A row of the vector unit.
struct VectorLayerMapping {
  std::vector<VectorMapping> nests;  ///< One an input of a concat, otherwise one.
  /// The first bytes of the activation buffer, in which tensors that stay and tile slots lie.
  std::int64_t activation_bytes = 0;
  bool converts_for_host = false;  ///< Quantize or dequantize whose floats the host makes or reads.
  /// Of a batch: images that go through the network together, the same of all rows. Not a batch: 0.
  std::int64_t images_together = 0;
  RowFusion fusion{};

  friend bool operator==(const VectorLayerMapping&, const VectorLayerMapping&) = default;
};

/// A row that the chip leaves to the host: nothing is to decide. The figures are of the whole batch.
struct HostLayerMapping {
  std::int64_t macs = 0, read_bytes = 0, written_bytes = 0;
  std::int64_t images_together = 0;  ///< See VectorLayerMapping.

  friend bool operator==(const HostLayerMapping&, const HostLayerMapping&) = default;
};

/// A row that runs on the way out of the requantizer: the mapping is that of the product before it.
struct WayOutLayerMapping {
  RowFusion fusion{};                ///< With the product and the other rows on its way out.
  std::int64_t images_together = 0;  ///< See VectorLayerMapping.

  friend bool operator==(const WayOutLayerMapping&, const WayOutLayerMapping&) = default;
};

using LayerMapping = std::variant<GemmLayerMapping, VectorLayerMapping, HostLayerMapping, WayOutLayerMapping>;

/// "mac_array", "vector_unit", "host", "requantizer"
[[nodiscard]] const char* unit_name(const LayerMapping& mapping);

/// As configs/schemas/mapping.schema.json has it. What the chip or the graph fixes (the array's organization,
/// what is stored in DRAM) is not written.
[[nodiscard]] nlohmann::ordered_json mapping_json(const LayerMapping& mapping);

}  // namespace qsim
