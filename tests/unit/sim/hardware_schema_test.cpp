// The schema, the reader and the defaults of the structs say the same.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "base/json_reader.h"
#include "sim/config/hardware_fields.h"
#include "sim/config/write_hardware.h"
#include "tests/unit/sim/hardware_files.h"

using Json = nlohmann::ordered_json;

namespace {

Json schema() {
  return qsim::parse_json_file(QSIM_SOURCE_FOLDER "/configs/schemas/hardware.schema.json");
}

/// Keys of the file that are no fields of the chip.
const std::vector<std::string> kFileKeys = {"$schema", "extends", "description", "sources"};

/// Checks each field against its entry in the schema (hardware_fields.h names the methods).
class SchemaChecker {
 public:
  explicit SchemaChecker(const Json& properties) : properties_(properties) {}

  void text(const std::string& key, const std::string& value) {
    CHECK(entry(key)["type"] == "string");
    if (key != "name") CHECK(entry(key)["default"] == value);
  }
  void number(const std::string& key, double value, double min, double max) {
    range(key, "number", value, min, max);
  }
  template <typename Integer>
  void integer(const std::string& key, Integer value, std::int64_t min, std::int64_t max) {
    range(key, "integer", std::int64_t{value}, min, max);
  }
  void scaled(const std::string& key, std::int64_t value, std::int64_t factor, std::int64_t min,
              std::int64_t max) {
    const auto unit = static_cast<double>(factor);
    range(key, "number", static_cast<double>(value) / unit, static_cast<double>(min) / unit,
          static_cast<double>(max) / unit);
    CHECK(entry(key)["multipleOf"].get<double>() == 1.0 / unit);
  }
  void boolean(const std::string& key, bool value) {
    CHECK(entry(key)["type"] == "boolean");
    CHECK(entry(key)["default"] == value);
  }
  void values(const std::string& key, const std::map<std::string, double>& values) {
    CHECK(entry(key)["type"] == "object");
    CHECK(entry(key)["additionalProperties"]["type"] == "number");
    CHECK(entry(key)["additionalProperties"]["minimum"] == 0);
    CHECK(values.empty());
  }
  template <typename Enum>
  void choice(const std::string& key, Enum value, const std::vector<std::string>& names) {
    CHECK(entry(key)["enum"].get<std::vector<std::string>>() == names);
    CHECK(entry(key)["default"] == names[static_cast<std::size_t>(value)]);
  }
  template <typename Enum>
  void choice_or_list(const std::string& key, Enum value, const std::string& list_key,
                      const std::vector<Enum>& list, const std::vector<std::string>& names) {
    choice(key, value, names);
    CHECK(entry(list_key)["items"]["enum"].get<std::vector<std::string>>() == names);
    CHECK(entry(list_key)["uniqueItems"] == true);
    CHECK(entry(list_key)["minItems"] == 1);
    CHECK(list.empty());
  }
  template <typename Enum>
  void choice_or_auto(const std::string& key, const std::optional<Enum>& value,
                      const std::vector<std::string>& names) {
    CHECK(entry(key)["enum"].get<std::vector<std::string>>() == names);
    CHECK(entry(key)["default"] == names[0]);
    CHECK_FALSE(value.has_value());
  }
  void integer_or_auto(const std::string& key, const std::optional<std::int64_t>& value, std::int64_t min,
                       std::int64_t max) {
    const Json& choices = entry(key)["anyOf"];
    CHECK(choices[0]["const"] == "auto");
    CHECK(choices[1]["type"] == "integer");
    CHECK(choices[1]["minimum"] == min);
    CHECK(choices[1]["maximum"] == max);
    CHECK(entry(key)["default"] == "auto");
    CHECK_FALSE(value.has_value());
  }
  void begin(const std::string& key) { section_ = key; }
  void end() { section_.clear(); }

 private:
  const Json& entry(const std::string& key) {
    INFO(section_ << "." << key);
    const Json& fields = section_.empty() ? properties_ : properties_.at(section_).at("properties");
    const Json& found = fields.at(key);
    CHECK_FALSE(found.at("description").get<std::string>().empty());
    return found;
  }
  template <typename Number>
  void range(const std::string& key, const char* type, Number value, Number min, Number max) {
    INFO(section_ << "." << key);
    CHECK(entry(key)["type"] == type);
    CHECK(entry(key)["default"] == value);
    CHECK(entry(key)["minimum"] == min);
    CHECK(entry(key)["maximum"] == max);
  }

  const Json& properties_;
  std::string section_;
};

}  // namespace

TEST_CASE("the schema has the reader's defaults, ranges and choices") {
  const Json properties = schema()["properties"];
  SchemaChecker checker(properties);
  const qsim::HardwareConfig defaults;
  qsim::visit_hardware_fields(defaults, checker);
}

TEST_CASE("the schema has no key that the reader does not know, and forbids others") {
  const Json root = schema();
  const std::vector<std::string> paths = qsim::hardware_field_paths();
  const auto is_known = [&](const std::string& path) {
    return std::find(paths.begin(), paths.end(), path) != paths.end() ||
           std::find(kFileKeys.begin(), kFileKeys.end(), path) != kFileKeys.end();
  };
  CHECK(root["additionalProperties"] == false);
  for (const auto& property : root["properties"].items()) {
    CHECK(is_known(property.key()));
    if (!property.value().contains("properties")) continue;
    CHECK(property.value()["additionalProperties"] == false);
    for (const auto& field : property.value()["properties"].items()) {
      CHECK(is_known(property.key() + "." + field.key()));
    }
  }
}

TEST_CASE("the names of the rounding profiles are those of the arithmetic, auto first") {
  for (std::size_t i = 1; i < qsim::kRoundingProfileNames.size(); ++i) {
    const auto profile = static_cast<qsim::arithmetic::RoundingProfile>(i - 1);
    CHECK(qsim::kRoundingProfileNames[i] == qsim::arithmetic::rounding_profile_name(profile));
  }
}

TEST_CASE("the names of the rules of a shift are those of the arithmetic") {
  for (std::size_t i = 0; i < qsim::kShiftRoundingNames.size(); ++i) {
    const auto rounding = static_cast<qsim::arithmetic::ShiftRounding>(i);
    CHECK(qsim::kShiftRoundingNames[i] == qsim::arithmetic::shift_rounding_name(rounding));
  }
}
