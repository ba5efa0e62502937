#include "sim/config/write_hardware.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/config/hardware_fields.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

/// Fields in, JSON out (hardware_fields.h names the methods).
class Writer {
 public:
  void text(const std::string& key, const std::string& value) { put(key, value); }
  void number(const std::string& key, double value, double /*min*/, double /*max*/) { put(key, value); }
  template <typename Integer>
  void integer(const std::string& key, Integer value, std::int64_t /*min*/, std::int64_t /*max*/) {
    put(key, value);
  }
  void scaled(const std::string& key, std::int64_t value, std::int64_t factor, std::int64_t /*min*/,
              std::int64_t /*max*/) {
    if (value % factor == 0) {
      put(key, value / factor);
    } else {
      put(key, static_cast<double>(value) / static_cast<double>(factor));
    }
  }
  void boolean(const std::string& key, bool value) { put(key, value); }
  void values(const std::string& key, const std::map<std::string, double>& values) {
    Json json = Json::object();
    for (const auto& [name, value] : values) json[name] = value;
    put(key, std::move(json));
  }
  template <typename Enum>
  void choice(const std::string& key, Enum value, const std::vector<std::string>& names) {
    put(key, names[static_cast<std::size_t>(value)]);
  }
  template <typename Enum>
  void choice_or_list(const std::string& key, Enum value, const std::string& list_key,
                      const std::vector<Enum>& list, const std::vector<std::string>& names) {
    if (list.empty()) return choice(key, value, names);
    Json words = Json::array();
    for (const Enum one : list) words.push_back(names[static_cast<std::size_t>(one)]);
    put(list_key, std::move(words));
  }
  template <typename Enum>
  void choice_or_auto(const std::string& key, const std::optional<Enum>& value,
                      const std::vector<std::string>& names) {
    put(key, names[value ? 1 + static_cast<std::size_t>(*value) : 0]);
  }
  void integer_or_auto(const std::string& key, const std::optional<std::int64_t>& value, std::int64_t /*min*/,
                       std::int64_t /*max*/) {
    put(key, value ? Json(*value) : Json("auto"));
  }
  void begin(const std::string& key) { section_ = key; }
  void end() { section_.clear(); }

  Json take() { return std::move(json_); }

 private:
  void put(const std::string& key, Json value) {
    (section_.empty() ? json_ : json_[section_])[key] = std::move(value);
  }

  Json json_ = Json::object();
  std::string section_;
};

}  // namespace

Json hardware_to_json(const HardwareConfig& hardware) {
  Writer writer;
  visit_hardware_fields(hardware, writer);
  return writer.take();
}

}  // namespace qsim
