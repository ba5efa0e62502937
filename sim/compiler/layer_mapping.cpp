#include "sim/compiler/layer_mapping.h"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/compiler/mapping_fields.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// Writes each field under its key.
class Writer {
 public:
  void integer(const char* key, std::int64_t value) { put(key, value); }
  template <typename Enum>
  void choice(const char* key, Enum value) {
    put(key, value_text(value));
  }
  void home(const char* key, bool is_resident, const char* buffer) {
    put(key, is_resident ? buffer : "dram");
  }
  /// One home as itself, several as a list.
  void homes(const char* key, const std::vector<bool>& residents, const char* buffer) {
    if (residents.size() == 1) return home(key, residents[0], buffer);
    Json list = Json::array();
    for (const bool is_resident : residents) list.push_back(is_resident ? buffer : "dram");
    put(key, std::move(list));
  }
  void put(const char* key, Json value) {
    const std::string_view path = key;
    const std::size_t point = path.find('.');
    if (point == std::string_view::npos) {
      json_[key] = std::move(value);
    } else {
      json_[std::string(path.substr(0, point))][std::string(path.substr(point + 1))] = std::move(value);
    }
  }

  Json take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

Json json_of(const GemmLayerMapping& layer) {
  Writer writer;
  writer.put(mapping_keys::kUnit, "mac_array");
  visit_gemm_mapping(layer.mapping, writer);
  if (layer.has_addend) visit_addend(layer.mapping, writer);
  if (layer.weights_are_activations) writer.put(mapping_keys::kWeightsIn, "activations");
  writer.put(mapping_keys::kActivationBytes, layer.activation_bytes);
  writer.put(mapping_keys::kTileChannels, layer.tile_channels);
  writer.put(mapping_keys::kWeightBlocks, layer.weight_blocks);
  writer.put(mapping_keys::kReductionParts, layer.reduction_parts);
  return writer.take();
}

Json json_of(const VectorLayerMapping& layer) {
  Writer writer;
  writer.put(mapping_keys::kUnit, "vector_unit");
  visit_vector_mapping(layer.nests.front(), writer);
  writer.put(mapping_keys::kActivationBytes, layer.activation_bytes);
  if (layer.nests.size() > 1) {
    Json parts = Json::array();
    for (std::size_t n = 1; n < layer.nests.size(); ++n) {
      Writer part;
      visit_vector_mapping(layer.nests[n], part);
      parts.push_back(part.take());
    }
    writer.put(mapping_keys::kParts, std::move(parts));
  }
  if (layer.converts_for_host) writer.put(mapping_keys::kConvertsFor, "host");
  return writer.take();
}

void add_fusion(const auto& layer, Json& json) {
  if (layer.fusion.fused_with.empty()) return;
  json[mapping_keys::kFusedWith] = layer.fusion.fused_with;
  if (layer.fusion.stripe_rows > 0) json[mapping_keys::kStripeRows] = layer.fusion.stripe_rows;
}
void add_fusion(const HostLayerMapping& /*layer*/, Json& /*json*/) {}

Json json_of(const HostLayerMapping& layer) {
  return {{"unit", "host"},
          {"host_macs", layer.macs},
          {"read_bytes", layer.read_bytes},
          {"written_bytes", layer.written_bytes}};
}

Json json_of(const WayOutLayerMapping& /*layer*/) {
  return {{mapping_keys::kUnit, "requantizer"}};
}

}  // namespace

const char* unit_name(const LayerMapping& mapping) {
  constexpr const char* kNames[] = {"mac_array", "vector_unit", "host", "requantizer"};
  return kNames[mapping.index()];
}

nlohmann::ordered_json mapping_json(const LayerMapping& mapping) {
  return std::visit(
      [](const auto& layer) {
        Json json = json_of(layer);
        if (layer.images_together > 0) json[mapping_keys::kImagesTogether] = layer.images_together;
        add_fusion(layer, json);
        return json;
      },
      mapping);
}

}  // namespace qsim
