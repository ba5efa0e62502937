#include "base/json_reader.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLongestValue = 80;

/// Appends `value` as JSON until `text` is longer than a message shows: large values cost no more than small.
void write_beginning(const Json& value, std::string& text) {
  // A code point more than fits: where it is cut does not show.
  const auto write_string = [&text](const std::string& s) {
    text += Json(s.substr(0, kLongestValue + 4)).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  if (value.is_string()) return write_string(value.get_ref<const std::string&>());
  if (value.is_primitive()) {
    text += value.dump();
    return;
  }
  text += value.is_object() ? '{' : '[';
  const std::size_t start = text.size();
  for (const auto& member : value.items()) {
    if (text.size() > kLongestValue) return;
    if (text.size() > start) text += ',';
    if (value.is_object()) {
      write_string(member.key());
      text += ':';
    }
    write_beginning(member.value(), text);
  }
  text += value.is_object() ? '}' : ']';
}

/// The integer that a JSON number stands for: 8 and 8.0 do, 8.5, true and "8" do not.
std::optional<std::int64_t> exact_integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    return number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
               ? std::optional<std::int64_t>(static_cast<std::int64_t>(number))
               : std::nullopt;
  }
  if (value.is_number_integer()) {
    return value.get<std::int64_t>();
  }
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    // Beyond 2^53 a double no longer tells which integer was meant.
    if (std::abs(number) <= 9007199254740992.0 && number == std::floor(number)) {
      return static_cast<std::int64_t>(number);
    }
  }
  return std::nullopt;
}

std::string integer_range(std::int64_t min, std::int64_t max) {
  if (max == std::numeric_limits<std::int64_t>::max()) {
    return min == std::numeric_limits<std::int64_t>::min() ? "an integer"
                                                           : "an integer of at least " + std::to_string(min);
  }
  return "an integer from " + std::to_string(min) + " to " + std::to_string(max);
}

std::string number_text(double value) {
  return Json(value).dump();
}

std::string number_range(double min, double max) {
  const double limit = std::numeric_limits<double>::max();
  if (max >= limit) {
    return min <= -limit ? "a finite number" : "a finite number of at least " + number_text(min);
  }
  return "a number from " + number_text(min) + " to " + number_text(max);
}

std::string quoted_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "\"" : ", \"") + word + "\"";
  }
  return text;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string nearest = nearest_name(word, known);
  return nearest.empty() ? std::string() : "did you mean \"" + nearest + "\"?";
}

const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

}  // namespace

std::string written_value(const Json& value) {
  std::string text;
  write_beginning(value, text);
  if (text.size() <= kLongestValue) return text;
  std::size_t end = kLongestValue - 3;
  while ((static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80) --end;  // Not inside a code point.
  return text.substr(0, end) + "...";
}

void ProblemList::add(std::string place, std::string value, std::string expected, std::string hint) {
  if (hint.empty()) hint = remedy_;
  problems_.add({file_, std::move(place), std::move(value), std::move(expected), std::move(hint)});
}

JsonObject::JsonObject(const nlohmann::ordered_json& json, std::string path, ProblemList& problems)
    : json_(&json), path_(std::move(path)), problems_(&problems) {
  if (!json.is_object()) {
    problems.add(path_, written_value(json), "an object { ... }");
    json_ = &empty_object();
  }
}

bool JsonObject::has(const std::string& key) const {
  return json_->contains(key);
}

std::string JsonObject::path_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonObject::problem(const std::string& key, std::string expected, std::string hint) {
  const auto found = json_->find(key);
  problems_->add(path_of(key), found == json_->end() ? "nothing" : written_value(*found), std::move(expected),
                 std::move(hint));
}

const nlohmann::ordered_json* JsonObject::raw(const std::string& key) {
  known_.push_back(key);
  const auto found = json_->find(key);
  return found == json_->end() ? nullptr : &*found;
}

std::int64_t JsonObject::integer(const std::string& key, std::int64_t min, std::int64_t max,
                                 std::optional<std::int64_t> fallback) {
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return *fallback;
  }
  const std::optional<std::int64_t> number = value == nullptr ? std::nullopt : exact_integer(*value);
  if (number && *number >= min && *number <= max) {
    return *number;
  }
  problem(key, integer_range(min, max), value == nullptr ? "this key is required" : "");
  return fallback.value_or(0);
}

double JsonObject::number(const std::string& key, double min, double max, std::optional<double> fallback) {
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return *fallback;
  }
  if (value != nullptr && value->is_number()) {
    const auto number = value->get<double>();
    if (std::isfinite(number) && number >= min && number <= max) {
      return number;
    }
  }
  problem(key, number_range(min, max), value == nullptr ? "this key is required" : "");
  return fallback.value_or(0.0);
}

bool JsonObject::boolean(const std::string& key, std::optional<bool> fallback) {
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return *fallback;
  }
  if (value != nullptr && value->is_boolean()) {
    return value->get<bool>();
  }
  problem(key, "true or false", value == nullptr ? "this key is required" : "");
  return fallback.value_or(false);
}

std::string JsonObject::string(const std::string& key, std::optional<std::string> fallback) {
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return *fallback;
  }
  if (value != nullptr && value->is_string()) {
    return value->get<std::string>();
  }
  problem(key, "a string", value == nullptr ? "this key is required" : "");
  return fallback.value_or("");
}

std::size_t JsonObject::choice(const std::string& key, const std::vector<std::string>& choices,
                               std::optional<std::string> fallback) {
  const auto index_of = [&](const std::string& word) {
    return static_cast<std::size_t>(std::find(choices.begin(), choices.end(), word) - choices.begin());
  };
  const std::size_t otherwise = fallback ? index_of(*fallback) : 0;
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return otherwise;
  }
  std::string hint = value == nullptr ? "this key is required" : "";
  if (value != nullptr && value->is_string()) {
    const auto word = value->get<std::string>();
    const std::size_t index = index_of(word);
    if (index < choices.size()) {
      return index;
    }
    hint = did_you_mean(word, choices);
  }
  problem(key, "one of " + quoted_list(choices), std::move(hint));
  return otherwise;
}

std::vector<std::int64_t> JsonObject::integers(const std::string& key, std::int64_t min, std::int64_t max,
                                               std::optional<std::vector<std::int64_t>> fallback) {
  const Json* value = raw(key);
  if (value == nullptr && fallback) {
    return *fallback;
  }
  const std::string expected = "a list whose entries are each " + integer_range(min, max);
  if (value == nullptr || !value->is_array()) {
    problem(key, expected, value == nullptr ? "this key is required" : "");
    return fallback.value_or(std::vector<std::int64_t>{});
  }
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const std::optional<std::int64_t> number = exact_integer((*value)[i]);
    if (!number || *number < min || *number > max) {
      problems_->add(path_of(key) + "[" + std::to_string(i) + "]", written_value((*value)[i]),
                     integer_range(min, max));
      return fallback.value_or(std::vector<std::int64_t>{});
    }
    numbers.push_back(*number);
  }
  return numbers;
}

JsonObject JsonObject::object(const std::string& key) {
  const Json* value = raw(key);
  return {value == nullptr ? empty_object() : *value, path_of(key), *problems_};
}

void JsonObject::finish() {
  for (const auto& member : json_->items()) {
    if (std::find(known_.begin(), known_.end(), member.key()) != known_.end()) continue;
    if (problems_->is_full()) {
      problems_->add({}, {}, {});
      continue;
    }
    problems_->add(path_of(member.key()), written_value(member.value()),
                   "a known key: " + quoted_list(known_), did_you_mean(member.key(), known_));
  }
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& known) {
  const auto lower = [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); };
  // Distance with insertions, deletions, substitutions and exchanged neighbours; three rolling rows.
  const auto distance = [&](std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      row[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const bool equal = lower(a[i - 1]) == lower(b[j - 1]);
        row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (equal ? 0U : 1U)});
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1])) {
          row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
      }
      std::swap(before_last, last);
      std::swap(last, row);
    }
    return last[b.size()];
  };
  std::string nearest;
  std::size_t least = 4;
  for (const std::string& candidate : known) {
    const std::size_t longer = std::max(word.size(), candidate.size());
    const std::size_t shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= least || longer > 256) continue;
    // A distance as long as the word itself says that nothing is alike.
    const std::size_t d = distance(word, candidate);
    if (d < least && d < shorter) {
      least = d;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace qsim
