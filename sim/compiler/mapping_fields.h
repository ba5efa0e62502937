// The fields of mappings with their keys in JSON, in one list: printing, reading and pinning all walk it
// (docs/mapping.md, configs/schemas/mapping.schema.json).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hw_models/dataflow/dataflow_table.h"
#include "hw_models/gemm.h"
#include "hw_models/vector_operation.h"

namespace qsim {

/// A point stands between the keys of an object and of its member.
namespace mapping_keys {
inline constexpr const char* kUnit = "unit";
inline constexpr const char* kDataflow = "dataflow";
inline constexpr const char* kLoopOrder = "loop_order";
inline constexpr const char* kTileBatch = "output_tile.batch";
inline constexpr const char* kTileRows = "output_tile.rows";
inline constexpr const char* kTileColumns = "output_tile.columns";
inline constexpr const char* kTileChannels = "output_tile.channels";
inline constexpr const char* kPixelsPerPass = "pixels_per_pass";
inline constexpr const char* kPassOrder = "pass_order";
inline constexpr const char* kColumnTile = "column_tile";
inline constexpr const char* kGroupsPerTile = "groups_per_tile";
inline constexpr const char* kColumnTilesPerBlock = "column_tiles_per_block";
inline constexpr const char* kWeightBlocks = "weight_blocks";
inline constexpr const char* kPartKernelH = "reduction_part.kernel_h";
inline constexpr const char* kPartKernelW = "reduction_part.kernel_w";
inline constexpr const char* kPartChannels = "reduction_part.channels";
inline constexpr const char* kSumsIn = "sums_in";
inline constexpr const char* kReductionParts = "reduction_parts";
inline constexpr const char* kWeightsIn = "weights_in";
inline constexpr const char* kInputIn = "input_in";
inline constexpr const char* kOutputIn = "output_in";
inline constexpr const char* kInputSlots = "input_slots";
inline constexpr const char* kOutputSlots = "output_slots";
inline constexpr const char* kAddendIn = "addend_in";
inline constexpr const char* kAddendSlots = "addend_slots";
inline constexpr const char* kSlots = "slots";
inline constexpr const char* kActivationBytes = "activation_bytes";
inline constexpr const char* kImagesTogether = "images_together";
inline constexpr const char* kFusedWith = "fused_with";
inline constexpr const char* kStripeRows = "stripe_rows";
inline constexpr const char* kParts = "parts";
inline constexpr const char* kConvertsFor = "converts_for";
}  // namespace mapping_keys

/// Spellings of an enumeration in the order of its enumerators.
[[nodiscard]] inline std::vector<std::string> names_of(Dataflow) {
  return dataflow_names();
}
[[nodiscard]] inline std::vector<std::string> names_of(LoopOrder) {
  return {"weights_outer", "activations_outer"};
}
[[nodiscard]] inline std::vector<std::string> names_of(SumsIn) {
  return {"accumulators", "activation_buffer"};
}
[[nodiscard]] inline std::vector<std::string> names_of(PassOrder) {
  return {"even", "full"};
}

template <typename Enum>
[[nodiscard]] std::string value_text(Enum value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

/// `visit.integer(key, field)`, `visit.choice(key, field)` of enumerations, and `visit.home(key, resident,
/// buffer)` for what lies in DRAM or in a buffer of that name.
template <typename Mapping, typename Visitor>
void visit_gemm_mapping(Mapping& mapping, Visitor& visit) {
  visit.choice(mapping_keys::kDataflow, mapping.dataflow);
  visit.choice(mapping_keys::kLoopOrder, mapping.order);
  visit.integer(mapping_keys::kTileRows, mapping.tile_rows);
  visit.integer(mapping_keys::kTileColumns, mapping.tile_columns);
  visit.integer(mapping_keys::kPixelsPerPass, mapping.pixels_per_pass);
  visit.choice(mapping_keys::kPassOrder, mapping.pass_order);
  visit.integer(mapping_keys::kColumnTile, mapping.column_tile);
  visit.integer(mapping_keys::kGroupsPerTile, mapping.groups_per_tile);
  visit.integer(mapping_keys::kColumnTilesPerBlock, mapping.column_tiles_per_block);
  visit.integer(mapping_keys::kPartKernelH, mapping.part_kernel_h);
  visit.integer(mapping_keys::kPartKernelW, mapping.part_kernel_w);
  visit.integer(mapping_keys::kPartChannels, mapping.part_channels);
  visit.choice(mapping_keys::kSumsIn, mapping.sums_in);
  visit.home(mapping_keys::kWeightsIn, mapping.weights_resident, "weight_buffer");
  visit.home(mapping_keys::kInputIn, mapping.input_resident, "activation_buffer");
  visit.home(mapping_keys::kOutputIn, mapping.output_resident, "activation_buffer");
  visit.integer(mapping_keys::kInputSlots, mapping.input_slots);
  visit.integer(mapping_keys::kOutputSlots, mapping.output_slots);
}

/// What a product has beside these where an adder is on its way out.
template <typename Mapping, typename Visitor>
void visit_addend(Mapping& mapping, Visitor& visit) {
  visit.home(mapping_keys::kAddendIn, mapping.addend_resident, "activation_buffer");
  visit.integer(mapping_keys::kAddendSlots, mapping.addend_slots);
}

/// The same of an operation of the vector unit, which may have several inputs: `visit.homes(key, list,
/// buffer)`.
template <typename Mapping, typename Visitor>
void visit_vector_mapping(Mapping& mapping, Visitor& visit) {
  visit.integer(mapping_keys::kTileBatch, mapping.tile[kBatch]);
  visit.integer(mapping_keys::kTileRows, mapping.tile[kRow]);
  visit.integer(mapping_keys::kTileColumns, mapping.tile[kColumn]);
  visit.integer(mapping_keys::kTileChannels, mapping.tile[kChannel]);
  visit.homes(mapping_keys::kInputIn, mapping.inputs_resident, "activation_buffer");
  visit.home(mapping_keys::kOutputIn, mapping.output_resident, "activation_buffer");
  visit.integer(mapping_keys::kSlots, mapping.slots);
}

}  // namespace qsim
