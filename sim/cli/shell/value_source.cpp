#include "sim/cli/shell/value_source.h"

namespace qsim::cli {

ValueSource value_source(const Option& option, const std::vector<Command>& all) {
  switch (option.kind) {
    case ValueKind::hardware:
      return {.shipped = "hardware", .words = {}, .files = true, .extensions = option.extensions};
    case ValueKind::workload:
      return {.shipped = "workloads", .words = {}, .files = true, .extensions = option.extensions};
    case ValueKind::preprocess:
      return {.shipped = "preprocess", .words = {}, .files = true, .extensions = option.extensions};
    case ValueKind::hardware_field:
      return {.shipped = "fields", .words = {}, .extensions = {}};
    case ValueKind::choice:
      return {.shipped = "", .words = option.choices, .extensions = {}};
    case ValueKind::command:
      return {.shipped = "", .words = command_names(all), .extensions = {}};
    case ValueKind::input_file:
    case ValueKind::output_file:
      return {.shipped = "", .words = {}, .files = true, .extensions = option.extensions};
    case ValueKind::folder:
      return {.shipped = "", .words = {}, .folders = true, .extensions = {}};
    case ValueKind::flag:
    case ValueKind::integer:
    case ValueKind::text:
      break;
  }
  return {};
}

std::vector<std::string> command_names(const std::vector<Command>& all) {
  std::vector<std::string> names;
  for (const Command& command : all) {
    if (!command.words.name.empty()) names.push_back(command.words.name);
  }
  return names;
}

std::vector<std::string> spellings(const Option& option) {
  if (option.positional) return {};
  std::vector<std::string> names = {option.written()};
  if (option.short_name != '\0') names.push_back(std::string("-") + option.short_name);
  return names;
}

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (&word == words.data() ? "" : separator) + word;
  return text;
}

std::string escaped(const std::string& text, const std::string& special, const std::string& mark) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string::npos) result += mark;
    result += c;
  }
  return result;
}

}  // namespace qsim::cli
