// Mappings given in a file: --mapping FILE.json (docs/mapping.md, configs/schemas/mapping.schema.json).
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "sim/compiler/layer_mapping.h"
#include "sim/compiler/mapper.h"

namespace qsim {

/// One mapping of the file: its values by key (mapping_fields.h), a number or a word each.
using GivenMapping = std::map<std::string, PinnedValue>;

struct MappingFile {
  std::string file;
  /// By layer. Of layers that share a name, in the order of the rows; the last stands for those that follow.
  std::map<std::string, std::vector<GivenMapping>> layers;
  std::map<std::string, GivenMapping> operations;  ///< A layer's own values precede its operation's.
};

/// The values of a mapping; what is neither a number nor a word is left out.
[[nodiscard]] GivenMapping values_of(const nlohmann::ordered_json& mapping);

/// {"layers": {NAME: mapping}, "operations": {OP: mapping}}, or a report. Throws InputError.
[[nodiscard]] MappingFile parse_mappings(const nlohmann::ordered_json& json, const std::string& file);
[[nodiscard]] MappingFile read_mapping_file(const std::string& path);

/// Chooses as another mapper among what a file leaves open.
class PinnedMapper final : public Mapper {
 public:
  PinnedMapper(MappingFile file, std::unique_ptr<const Mapper> chooser)
      : file_(std::move(file)), chooser_(std::move(chooser)) {}

  [[nodiscard]] MappingOptions<GemmMapping> options(const GemmSpace& space,
                                                    const CostMeasure& measure) const override {
    return chooser_->options(space, measure);
  }
  [[nodiscard]] MappingOptions<VectorMapping> options(const VectorSpace& space,
                                                      const CostMeasure& measure) const override {
    return chooser_->options(space, measure);
  }
  [[nodiscard]] Objective objective() const override { return chooser_->objective(); }
  [[nodiscard]] const EnergyRates* energies() const override { return chooser_->energies(); }
  [[nodiscard]] std::vector<RowPin> pins(const std::vector<RowId>& rows) const override;

 private:
  MappingFile file_;
  std::unique_ptr<const Mapper> chooser_;
};

/// What is given about a row and is not so in its mapping: a value that follows from others.
void report_contradictions(const RowPin& pin, const LayerMapping& mapping, std::vector<Problem>& problems);

}  // namespace qsim
