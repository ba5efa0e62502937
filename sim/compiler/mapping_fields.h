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
inline constexpr const char* unit = "unit";
inline constexpr const char* dataflow = "dataflow";
inline constexpr const char* loop_order = "loop_order";
inline constexpr const char* tile_batch = "output_tile.batch";
inline constexpr const char* tile_rows = "output_tile.rows";
inline constexpr const char* tile_columns = "output_tile.columns";
inline constexpr const char* tile_channels = "output_tile.channels";
inline constexpr const char* pixels_per_pass = "pixels_per_pass";
inline constexpr const char* pass_order = "pass_order";
inline constexpr const char* column_tile = "column_tile";
inline constexpr const char* groups_per_tile = "groups_per_tile";
inline constexpr const char* column_tiles_per_block = "column_tiles_per_block";
inline constexpr const char* weight_blocks = "weight_blocks";
inline constexpr const char* part_kernel_h = "reduction_part.kernel_h";
inline constexpr const char* part_kernel_w = "reduction_part.kernel_w";
inline constexpr const char* part_channels = "reduction_part.channels";
inline constexpr const char* reduction_parts = "reduction_parts";
inline constexpr const char* weights_in = "weights_in";
inline constexpr const char* input_in = "input_in";
inline constexpr const char* output_in = "output_in";
inline constexpr const char* input_slots = "input_slots";
inline constexpr const char* output_slots = "output_slots";
inline constexpr const char* slots = "slots";
inline constexpr const char* activation_bytes = "activation_bytes";
inline constexpr const char* images_together = "images_together";
inline constexpr const char* parts = "parts";
inline constexpr const char* converts_for = "converts_for";
}  // namespace mapping_keys

/// Spellings of an enumeration in the order of its enumerators.
[[nodiscard]] inline std::vector<std::string> names_of(Dataflow) {
  return dataflow_names();
}
[[nodiscard]] inline std::vector<std::string> names_of(LoopOrder) {
  return {"weights_outer", "activations_outer"};
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
  visit.choice(mapping_keys::dataflow, mapping.dataflow);
  visit.choice(mapping_keys::loop_order, mapping.order);
  visit.integer(mapping_keys::tile_rows, mapping.tile_rows);
  visit.integer(mapping_keys::tile_columns, mapping.tile_columns);
  visit.integer(mapping_keys::pixels_per_pass, mapping.pixels_per_pass);
  visit.choice(mapping_keys::pass_order, mapping.pass_order);
  visit.integer(mapping_keys::column_tile, mapping.column_tile);
  visit.integer(mapping_keys::groups_per_tile, mapping.groups_per_tile);
  visit.integer(mapping_keys::column_tiles_per_block, mapping.column_tiles_per_block);
  visit.integer(mapping_keys::part_kernel_h, mapping.part_kernel_h);
  visit.integer(mapping_keys::part_kernel_w, mapping.part_kernel_w);
  visit.integer(mapping_keys::part_channels, mapping.part_channels);
  visit.home(mapping_keys::weights_in, mapping.weights_resident, "weight_buffer");
  visit.home(mapping_keys::input_in, mapping.input_resident, "activation_buffer");
  visit.home(mapping_keys::output_in, mapping.output_resident, "activation_buffer");
  visit.integer(mapping_keys::input_slots, mapping.input_slots);
  visit.integer(mapping_keys::output_slots, mapping.output_slots);
}

/// The same of an operation of the vector unit, which may have several inputs: `visit.homes(key, list,
/// buffer)`.
template <typename Mapping, typename Visitor>
void visit_vector_mapping(Mapping& mapping, Visitor& visit) {
  visit.integer(mapping_keys::tile_batch, mapping.tile[kBatch]);
  visit.integer(mapping_keys::tile_rows, mapping.tile[kRow]);
  visit.integer(mapping_keys::tile_columns, mapping.tile[kColumn]);
  visit.integer(mapping_keys::tile_channels, mapping.tile[kChannel]);
  visit.homes(mapping_keys::input_in, mapping.inputs_resident, "activation_buffer");
  visit.home(mapping_keys::output_in, mapping.output_resident, "activation_buffer");
  visit.integer(mapping_keys::slots, mapping.slots);
}

}  // namespace qsim
