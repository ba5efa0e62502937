// Which values of a mapping file are meant for which row.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json_reader.h"
#include "sim/compiler/mapping_fields.h"
#include "sim/compiler/mapping_file.h"

namespace qsim {
namespace {

constexpr const char* kPinRemedy = "docs/mapping.md has the keys of a mapping";

std::string text_of(const PinnedValue& given) {
  const auto* number = std::get_if<std::int64_t>(&given.value);
  return number != nullptr ? std::to_string(*number) : '"' + std::get<std::string>(given.value) + '"';
}

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Takes the values of one nest from those of a row.
class FieldReader {
 public:
  FieldReader(const RowPin& row, std::string prefix, std::map<std::string, std::string, std::less<>>& given,
              std::set<std::string>& known, ProblemList& problems)
      : row_(row), prefix_(std::move(prefix)), given_(given), known_(known), problems_(problems) {}

  void integer(const char* key, std::int64_t& field) {
    if (const PinnedValue* value = find(key)) {
      if (const auto* number = std::get_if<std::int64_t>(&value->value)) {
        field = *number;
        given_[key] = value->place;
      } else {
        problems_.add(value->place, text_of(*value), "a number");
      }
    }
  }
  template <typename Enum>
  void choice(const char* key, Enum& field) {
    const std::vector<std::string> names = names_of(field);
    if (const auto index = word(key, names)) field = static_cast<Enum>(*index);
  }
  void home(const char* key, bool& is_resident, const char* buffer) {
    std::vector<std::string> names = {"dram", buffer};
    // Weights from another row: nothing to choose, and checked in the end.
    if (key == std::string_view(mapping_keys::kWeightsIn)) names.emplace_back("activations");
    const auto index = word(key, names);
    if (!index) return;
    if (*index == 2) given_.erase(key);
    is_resident = *index == 1;
  }
  void homes(const char* key, std::vector<bool>& residents, const char* buffer) {
    for (std::size_t i = 0; i < residents.size(); ++i) {
      const std::string own = residents.size() == 1 ? key : std::string(key) + "." + std::to_string(i);
      bool is_resident = residents[i];
      home(own.c_str(), is_resident, buffer);
      residents[i] = is_resident;
    }
  }

 private:
  const PinnedValue* find(const std::string& key) {
    known_.insert(prefix_ + key);
    const auto found = row_.values.find(prefix_ + key);
    return found == row_.values.end() ? nullptr : &found->second;
  }

  /// Index of the given word among `names`; nothing where none is given or it is another.
  std::optional<std::size_t> word(const std::string& key, const std::vector<std::string>& names) {
    const PinnedValue* value = find(key);
    if (value == nullptr) return std::nullopt;
    const auto* text = std::get_if<std::string>(&value->value);
    const auto found = text == nullptr ? names.end() : std::ranges::find(names, *text);
    if (found == names.end()) {
      problems_.add(value->place, text_of(*value), "one of " + list_of(names));
      return std::nullopt;
    }
    given_[key] = value->place;
    return static_cast<std::size_t>(found - names.begin());
  }

  const RowPin& row_;
  std::string prefix_;
  std::map<std::string, std::string, std::less<>>& given_;
  std::set<std::string>& known_;
  ProblemList& problems_;
};

/// Reads the values of a row as its unit has them.
class RowReader {
 public:
  RowReader(RowPin& row, const RowId& id, ProblemList& problems) : row_(row), id_(id), problems_(problems) {}

  void run() {
    static const std::vector<std::string> kUnits = {"mac_array", "vector_unit", "host", "requantizer"};
    const auto name_of = [](RowUnit unit) { return kUnits[static_cast<std::size_t>(unit)]; };
    known_ = {mapping_keys::kUnit};
    RowUnit unit = id_.unit;
    if (const auto given = row_.values.find(mapping_keys::kUnit); given != row_.values.end()) {
      const auto is_given = [&](RowUnit other) {
        return given->second.value == PinnedValue{name_of(other), {}}.value;
      };
      if (id_.may_be_joined && is_given(RowUnit::requantizer)) unit = RowUnit::requantizer;
      if (!is_given(unit)) {
        const std::string other = id_.may_be_joined ? " or \"" + name_of(RowUnit::requantizer) + '"' : "";
        problems_.add(given->second.place, text_of(given->second),
                      '"' + name_of(unit) + '"' + other + ", where " + id_.op + " runs");
        return;
      }
      row_.unit = unit;
    }
    if (unit == RowUnit::mac_array) read_gemm();
    if (unit == RowUnit::vector_unit) read_vector();
    if (unit == RowUnit::requantizer) size_vector();  // what runs on a way out has no values of its own
    if (unit == RowUnit::host) known_.insert({"host_macs", "read_bytes", "written_bytes"});
    // Names of other rows, which follow.
    for (const auto& [key, value] : row_.values) {
      if (key.starts_with(std::string(mapping_keys::kFusedWith) + '.')) known_.insert(key);
    }
    row_.images_together = read_integer(mapping_keys::kImagesTogether);
    if (id_.unit != RowUnit::host) read_fusion();
    for (const auto& [key, value] : row_.values) {
      if (known_.contains(key)) continue;
      problems_.add(value.place, text_of(value), "no such value in a mapping on " + name_of(unit), hint(key));
    }
  }

 private:
  [[nodiscard]] std::string hint(const std::string& key) const {
    const std::string nearest = nearest_name(key, {known_.begin(), known_.end()});
    return nearest.empty() ? "remove it" : "did you mean " + nearest + "?";
  }

  void read_fusion() {
    row_.stripe_rows = read_integer(mapping_keys::kStripeRows);
    for (std::size_t i = 0;; ++i) {
      const std::string key = std::string(mapping_keys::kFusedWith) + "." + std::to_string(i);
      const auto given = row_.values.find(key);
      if (given == row_.values.end()) return;
      known_.insert(key);
      if (const auto* name = std::get_if<std::string>(&given->second.value)) {
        row_.fused_with.push_back(*name);
      } else {
        problems_.add(given->second.place, text_of(given->second), "the name of a layer");
      }
    }
  }

  /// A value of the whole row, where it is given.
  std::optional<std::int64_t> read_integer(const char* key) {
    std::int64_t value = 0;
    std::map<std::string, std::string, std::less<>> given;
    FieldReader(row_, "", given, known_, problems_).integer(key, value);
    if (given.empty()) return std::nullopt;
    return value;
  }

  void read_gemm() {
    FieldReader reader(row_, "", row_.gemm.given, known_, problems_);
    visit_gemm_mapping(row_.gemm.value, reader);
    if (id_.may_have_addend) visit_addend(row_.gemm.value, reader);
    row_.activation_bytes = read_integer(mapping_keys::kActivationBytes);
    known_.insert({mapping_keys::kTileChannels, mapping_keys::kWeightBlocks, mapping_keys::kReductionParts});
  }

  void size_vector() {
    row_.vector.resize(id_.nests);
    for (std::size_t n = 0; n < id_.nests; ++n)
      row_.vector[n].value.inputs_resident.assign(n == 0 ? id_.inputs : 1, false);
  }

  void read_vector() {
    size_vector();
    for (std::size_t n = 0; n < id_.nests; ++n) {
      const std::string prefix =
          n == 0 ? "" : std::string(mapping_keys::kParts) + "." + std::to_string(n - 1) + ".";
      Pinned<VectorMapping>& nest = row_.vector[n];
      FieldReader reader(row_, prefix, nest.given, known_, problems_);
      visit_vector_mapping(nest.value, reader);
    }
    row_.activation_bytes = read_integer(mapping_keys::kActivationBytes);
    known_.insert(mapping_keys::kConvertsFor);
  }

  RowPin& row_;
  const RowId& id_;
  ProblemList& problems_;
  std::set<std::string> known_;
};

/// Names that no row has.
template <typename Named>
void report_unknown(const Named& named, const char* key, const std::vector<std::string>& known,
                    ProblemList& problems) {
  for (const auto& [name, unused] : named) {
    if (std::ranges::find(known, name) != known.end()) continue;
    const std::string nearest = nearest_name(name, known);
    problems.add(
        std::string(key) + "." + name, {},
        std::string("the name of ") + (key[0] == 'l' ? "a layer" : "an operation") + " of the network",
        nearest.empty() ? "remove it; the rows of a report have the names" : "did you mean " + nearest + "?");
  }
}

}  // namespace

std::vector<RowPin> PinnedMapper::pins(const std::vector<RowId>& rows) const {
  ProblemList problems(file_.file, kPinRemedy);
  std::vector<std::string> names;
  std::vector<std::string> operations;
  for (const RowId& row : rows) {
    names.push_back(row.name);
    operations.push_back(row.op);
  }
  report_unknown(file_.layers, "layers", names, problems);
  report_unknown(file_.operations, "operations", operations, problems);
  std::vector<RowPin> pins(rows.size());
  std::map<std::string, std::size_t> seen;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    RowPin& pin = pins[r];
    pin.file = file_.file;
    pin.layer = rows[r].name;
    if (const auto layer = file_.layers.find(rows[r].name); layer != file_.layers.end()) {
      const std::size_t nth = seen[rows[r].name]++;
      pin.values = layer->second[std::min(nth, layer->second.size() - 1)];
    }
    if (const auto operation = file_.operations.find(rows[r].op); operation != file_.operations.end())
      pin.values.insert(operation->second.begin(), operation->second.end());
    RowReader(pin, rows[r], problems).run();
  }
  problems.throw_if_any();
  return pins;
}

void report_contradictions(const RowPin& pin, const LayerMapping& mapping, std::vector<Problem>& problems) {
  if (pin.values.empty()) return;
  const GivenMapping made = values_of(mapping_json(mapping));
  for (const auto& [key, given] : pin.values) {
    const auto found = made.find(key);
    if (found != made.end() && found->second.value == given.value) continue;
    problems.push_back({pin.file, given.place, text_of(given),
                        found == made.end() ? "nothing here" : text_of(found->second),
                        "leave it out: it follows from the rest of the mapping"});
  }
}

}  // namespace qsim
