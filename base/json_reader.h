// Strict reading of JSON objects: every problem is collected with its file and JSON path, unknown keys are
// problems (with the nearest known key as the hint), and all of them are thrown together at the end.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace qsim {

/// Parses a JSON file (at most `max_bytes`, 2^23 values, 64 levels of nesting); syntax errors, duplicate keys
/// and excess are an InputError with line and column, as is a missing or unreadable file.
[[nodiscard]] nlohmann::ordered_json parse_json_file(const std::string& path,
                                                     std::int64_t max_bytes = 1 << 26);
/// The same for text already in memory; `file` names it in messages.
[[nodiscard]] nlohmann::ordered_json parse_json_text(std::string_view text, const std::string& file);

/// Collects the problems of one file.
class ProblemList {
 public:
  /// `remedy` is the hint of a problem that has none of its own.
  explicit ProblemList(std::string file, std::string remedy = {}, std::size_t most = kMostListedProblems)
      : file_(std::move(file)), remedy_(std::move(remedy)), problems_(most) {}
  void add(std::string place, std::string value, std::string expected, std::string hint = {});
  [[nodiscard]] bool empty() const { return problems_.empty(); }
  [[nodiscard]] const std::vector<Problem>& all() const { return problems_.all(); }
  /// Further problems are only counted: hints and values for them need not be worked out.
  [[nodiscard]] bool is_full() const { return problems_.is_full(); }
  [[nodiscard]] std::size_t omitted() const { return problems_.omitted(); }
  [[nodiscard]] const std::string& file() const { return file_; }
  /// Throws InputError when there is any.
  void throw_if_any() const { problems_.throw_if_any(); }

 private:
  std::string file_;
  std::string remedy_;
  ProblemCollector problems_;
};

/// A value as written, for a message: what is longer than a line is cut short, however large it is.
[[nodiscard]] std::string written_value(const nlohmann::ordered_json& value);

/// A view of one JSON object. Each getter marks its key as known; the value returned after a problem is the
/// default (or the type's zero), so that reading goes on and finds the next problem.
class JsonObject {
 public:
  /// `path` is the JSON path of `json` ("" at the root, "layers[3]" below). A value that is not an object is
  /// a problem and reads as empty.
  JsonObject(const nlohmann::ordered_json& json, std::string path, ProblemList& problems);

  [[nodiscard]] bool has(const std::string& key) const;
  /// Required when `fallback` is absent. Booleans, strings and fractions are not integers; 8.0 is.
  std::int64_t integer(const std::string& key, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> fallback = std::nullopt);
  /// Finite numbers only.
  double number(const std::string& key, double min, double max,
                std::optional<double> fallback = std::nullopt);
  bool boolean(const std::string& key, std::optional<bool> fallback = std::nullopt);
  std::string string(const std::string& key, std::optional<std::string> fallback = std::nullopt);
  /// One of `choices`; returns its index. A hint names the nearest choice.
  std::size_t choice(const std::string& key, const std::vector<std::string>& choices,
                     std::optional<std::string> fallback = std::nullopt);
  std::vector<std::int64_t> integers(const std::string& key, std::int64_t min, std::int64_t max,
                                     std::optional<std::vector<std::int64_t>> fallback = std::nullopt);
  /// Child object; absent reads as an empty one (its required keys then report themselves).
  JsonObject object(const std::string& key);
  /// Child of any type, marked as known; nullptr when absent.
  const nlohmann::ordered_json* raw(const std::string& key);
  /// Path of a key in this object: "mac_array.rows".
  [[nodiscard]] std::string path_of(const std::string& key) const;
  /// Reports a problem at `key` with its value as written.
  void problem(const std::string& key, std::string expected, std::string hint = {});
  /// Every key that no getter asked for is a problem. Call once, last.
  void finish();

  [[nodiscard]] const nlohmann::ordered_json& json() const { return *json_; }
  [[nodiscard]] ProblemList& problems() { return *problems_; }

 private:
  const nlohmann::ordered_json* json_;
  std::string path_;
  ProblemList* problems_;
  std::vector<std::string> known_;
};

/// The member of `known` nearest to `word` (edit distance at most 3), or "" if none is near.
[[nodiscard]] std::string nearest_name(std::string_view word, const std::vector<std::string>& known);

}  // namespace qsim
