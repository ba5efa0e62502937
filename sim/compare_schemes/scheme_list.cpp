#include "sim/compare_schemes/scheme_list.h"

#include <array>

#include "base/json_reader.h"
#include "sim/report/json_blocks.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, 10> kDefault = {"w8a8",
                                                  "w8a8:weights=per_tensor",
                                                  "w8a8:weights=asymmetric",
                                                  "w8a8:activations=symmetric",
                                                  "w8a8:scales=power_of_two",
                                                  "w6a8",
                                                  "w4a8",
                                                  "w4a8:weights=per_group(32)",
                                                  "w4a4",
                                                  "w2a8"};

NamedScheme from_object(Json json, const std::string& file, const std::string& place) {
  std::string name;
  if (const auto found = json.find("name"); found != json.end()) {
    if (!found->is_string() || found->get<std::string>().empty()) {
      throw InputError({file, place.empty() ? "name" : place + ".name", written_value(*found), "a text",
                        "what the table is to call it"});
    }
    name = found->get<std::string>();
    json.erase("name");
  }
  Scheme scheme = read_scheme_text(json.dump(), place.empty() ? file : file + ": " + place);
  if (name.empty()) name = scheme.layers.empty() ? to_text(scheme) : base_name(file);
  return {name, std::move(scheme)};
}

NamedScheme from_element(const Json& json, const std::string& file, std::size_t index) {
  const std::string place = "[" + std::to_string(index) + "]";
  if (json.is_object()) return from_object(json, file, place);
  if (!json.is_string()) {
    throw InputError({file, place, written_value(json), "a scheme: a text or an object",
                      "for example \"w4a8:weights=per_tensor\""});
  }
  const auto text = json.get<std::string>();
  return {text, parse_scheme(text, file + ": " + place)};
}

std::vector<NamedScheme> from_file(const std::string& path) {
  const Json json = parse_json_file(path);
  if (json.is_object()) return {from_object(json, path, "")};
  std::vector<NamedScheme> schemes;
  ProblemCollector problems;
  if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      try {
        schemes.push_back(from_element(json[i], path, i));
      } catch (const InputError& error) {
        problems.add(error);
      }
    }
  }
  if (json.empty() || !json.is_array()) {
    problems.add(
        {path, "", written_value(json), "a list of schemes, or one", "docs/schemes.md has an example"});
  }
  problems.throw_if_any();
  return schemes;
}

}  // namespace

std::vector<NamedScheme> default_schemes() {
  std::vector<NamedScheme> schemes;
  for (const char* text : kDefault) schemes.push_back({text, parse_scheme(text)});
  return schemes;
}

std::vector<NamedScheme> read_scheme_list(const std::string& argument) {
  if (argument.ends_with(".json")) return from_file(argument);
  std::vector<NamedScheme> schemes;
  const std::vector<std::string_view> texts = split_scheme_list(argument);
  std::vector<Scheme> parsed = parse_scheme_list(argument);
  for (std::size_t i = 0; i < parsed.size(); ++i)
    schemes.push_back({std::string(texts[i]), std::move(parsed[i])});
  return schemes;
}

}  // namespace qsim
