#include "sim/cli/argument_checks.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_reader.h"

namespace qsim::cli {
namespace {

bool is_integer_from(const std::string& text, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= min && value <= max;
}

/// "layer or tile", "a, b or c".
std::string either(const std::vector<std::string>& choices) {
  std::string text;
  for (const std::string& choice : choices) {
    if (!text.empty()) text += &choice == &choices.back() ? " or " : ", ";
    text += choice;
  }
  return text;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

void ArgumentChecks::add(std::string argument, std::string value, std::string expected, std::string hint) {
  problems_.push_back({std::move(argument), "", std::move(value), std::move(expected), std::move(hint)});
}

void ArgumentChecks::add(std::string argument, std::string value, std::string expected) {
  add(std::move(argument), std::move(value), std::move(expected), hint_);
}

bool ArgumentChecks::value(const Option& option, const std::string& text) {
  if (option.kind == ValueKind::integer) {
    if (is_integer_from(text, option.min, option.max)) return true;
    add(option.written(), '"' + text + '"',
        "an integer from " + std::to_string(option.min) + " to " + std::to_string(option.max));
    return false;
  }
  if (option.kind == ValueKind::choice && !contains(option.choices, text)) {
    const std::string nearest = nearest_name(text, option.choices);
    add(option.written(), '"' + text + '"', either(option.choices),
        nearest.empty() ? hint_ : "did you mean " + nearest + "?");
    return false;
  }
  if (text.empty()) add(option.written(), "nothing", "a value");
  return !text.empty();
}

void ArgumentChecks::required(const Option& option) {
  switch (option.kind) {
    case ValueKind::hardware:
      return add(option.written(), "nothing", "a hardware file or shipped name",
                 "qsim list shows what ships");
    case ValueKind::workload:
      return add(option.written(), "nothing", "a workload file or shipped name",
                 "qsim list shows what ships");
    default:
      return add(option.written(), "nothing", option.help);
  }
}

void ArgumentChecks::unknown(const std::vector<std::string>& words, std::vector<std::string> options,
                             const std::vector<std::string>& commands) {
  const auto is_option = [](const std::string& word) { return word.starts_with("-"); };
  const bool any_option = std::any_of(words.begin(), words.end(), is_option);
  options.insert(options.end(), commands.begin(), commands.end());
  const std::string expected =
      "an option " + std::string(commands.empty() ? "" : "or command ") + "of " + call_;
  for (const std::string& word : words) {
    if (any_option && !is_option(word)) continue;
    const std::string nearest = nearest_name(word.substr(0, word.find('=')), options);
    if (contains(commands, word)) {
      add(word, "", expected, "a command goes first: " + call_ + " " + word);
    } else {
      add(word, "", expected, nearest.empty() ? hint_ : "did you mean " + nearest + "?");
    }
  }
}

void ArgumentChecks::throw_if_any() const {
  if (!problems_.empty()) throw InputError(problems_);
}

}  // namespace qsim::cli
