// Schemes as canonical text and as JSON.
#include <algorithm>

#include "base/json_reader.h"
#include "workloads/graph/scheme_text.h"

namespace qsim {
namespace {

std::string granularity_text(Granularity granularity, std::int64_t group_size) {
  if (granularity == Granularity::per_tensor) return "per_tensor";
  if (granularity == Granularity::per_channel) return "per_channel";
  return "per_group(" + std::to_string(group_size) + ")";
}

void add_word(std::string& words, const std::string& word) {
  words += (words.empty() ? "" : ",") + word;
}

std::string symmetry(bool is_symmetric) {
  return is_symmetric ? "symmetric" : "asymmetric";
}

/// Words of `weights=` that differ from per_channel,symmetric.
std::string weight_words(const WeightScheme& weights) {
  std::string words;
  if (weights.granularity != Granularity::per_channel)
    add_word(words, granularity_text(weights.granularity, weights.group_size));
  if (!weights.is_symmetric) add_word(words, "asymmetric");
  return words;
}

std::string activation_words(std::optional<bool> is_symmetric, std::optional<bool> is_signed) {
  std::string words;
  if (is_symmetric) add_word(words, symmetry(*is_symmetric));
  if (is_signed) add_word(words, *is_signed ? "signed" : "unsigned");
  return words;
}

std::string widths_text(int weights, int activations) {
  return "w" + std::to_string(weights) + "a" + std::to_string(activations);
}

/// Keys of a scheme and of a layer's exception; a scheme has both widths.
class SchemeReader {
 public:
  SchemeReader(const std::string& file, ProblemList& problems) : text_(file), problems_(problems) {}

  void read(JsonObject& object, LayerScheme& layer, bool is_layer) {
    read_bits(object, layer, is_layer);
    read_words(object, "weights", [&](const std::string& words) { text_.weights(words, 0, layer); });
    read_words(object, "activations", [&](const std::string& words) { text_.activations(words, 0, layer); });
  }

  template <typename Take>
  void read_words(JsonObject& object, const std::string& key, const Take& take) {
    const nlohmann::ordered_json* value = object.raw(key);
    if (value == nullptr) return;
    text_.in_json(object.path_of(key));
    const std::string words = object.string(key);
    if (value->is_string()) take(words);
  }

  [[nodiscard]] SchemeText& text() { return text_; }

 private:
  void read_bits(JsonObject& object, LayerScheme& layer, bool is_layer) {
    const std::string key = "bits";
    const nlohmann::ordered_json* value = object.raw(key);
    if (value == nullptr) {
      if (!is_layer) object.problem(key, "widths: \"w<bits>a<bits>\"", "for example \"bits\": \"w4a8\"");
      return;
    }
    if (value->is_string()) {
      text_.in_json(object.path_of(key));
      text_.widths(value->get<std::string>(), 0, layer);
      return;
    }
    if (!value->is_object()) {
      return object.problem(key, "\"w<bits>a<bits>\" or {\"weights\": N, \"activations\": N}",
                            "for example \"bits\": \"w4a8\"");
    }
    JsonObject bits(*value, object.path_of(key), problems_);
    if (bits.has("weights")) layer.weight_bits = static_cast<int>(bits.integer("weights", 1, 16));
    if (bits.has("activations")) layer.activation_bits = static_cast<int>(bits.integer("activations", 1, 16));
    bits.finish();
  }

  SchemeText text_;
  ProblemList& problems_;
};

void read_layers(JsonObject& root, SchemeReader& reader, Scheme& scheme) {
  const nlohmann::ordered_json* layers = root.raw("layers");
  if (layers == nullptr) return;
  const JsonObject object(*layers, "layers", root.problems());
  for (const auto& member : object.json().items()) {
    LayerScheme layer;
    if (member.value().is_string()) {
      reader.text().in_json(object.path_of(member.key()));
      Scheme whole;
      reader.text().scheme(member.value().get<std::string>(), whole);
      layer = {whole.weights.bits,         whole.activations.bits,     whole.weights.granularity,
               whole.weights.group_size,   whole.weights.is_symmetric, whole.activations.is_symmetric,
               whole.activations.is_signed};
      if (whole.scales != ScaleKind::floating || whole.format != NumberFormat::integer) {
        root.problems().add(object.path_of(member.key()), member.value().dump(),
                            "neither scales nor format of a layer's own",
                            "neighbours share scales: say scales and format once, for all layers");
      }
    } else if (!member.value().is_object()) {
      root.problems().add(object.path_of(member.key()), written_value(member.value()),
                          "a scheme's text, or an object of bits, weights and activations");
    } else {
      JsonObject exception(member.value(), object.path_of(member.key()), root.problems());
      reader.read(exception, layer, true);
      exception.finish();
    }
    scheme.layers[member.key()] = layer;
  }
}

Scheme scheme_of(const nlohmann::ordered_json& json, const std::string& file) {
  ProblemList problems(file, "docs/schemes.md has an example");
  JsonObject root(json, "", problems);
  problems.throw_if_any();
  SchemeReader reader(file, problems);
  Scheme scheme;
  scheme.source = file;
  LayerScheme layer;
  reader.read(root, layer, false);
  reader.read_words(root, "scales",
                    [&](const std::string& word) { scheme.scales = reader.text().scales(word, 0); });
  reader.read_words(root, "format",
                    [&](const std::string& word) { scheme.format = reader.text().format(word, 0); });
  SchemeText::apply(layer, scheme);
  read_layers(root, reader, scheme);
  root.finish();
  for (const Problem& problem : reader.text().problems()) {
    problems.add(problem.place, problem.value, problem.expected, problem.hint);
  }
  problems.throw_if_any();
  return scheme;
}

nlohmann::ordered_json layer_json(const LayerScheme& layer) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (layer.weight_bits) json["bits"]["weights"] = *layer.weight_bits;
  if (layer.activation_bits) json["bits"]["activations"] = *layer.activation_bits;
  std::string words;
  if (layer.granularity) add_word(words, granularity_text(*layer.granularity, layer.group_size));
  if (layer.weights_symmetric) add_word(words, symmetry(*layer.weights_symmetric));
  if (!words.empty()) json["weights"] = words;
  const std::string activations = activation_words(layer.activations_symmetric, layer.activations_signed);
  if (!activations.empty()) json["activations"] = activations;
  return json;
}

}  // namespace

std::string to_text(const Scheme& scheme) {
  std::string pairs;
  const auto add = [&](const std::string& key, const std::string& words) {
    if (!words.empty()) pairs += (pairs.empty() ? ":" : ";") + key + "=" + words;
  };
  add("weights", weight_words(scheme.weights));
  add("activations", activation_words(scheme.activations.is_symmetric, scheme.activations.is_signed));
  add("scales", scheme.is_power_of_two() ? "power_of_two" : "");
  add("format", scheme.format == NumberFormat::mxint ? "mxint" : "");
  return widths_text(scheme.weights.bits, scheme.activations.bits) + pairs;
}

Scheme read_scheme(const std::string& path) {
  return scheme_of(parse_json_file(path), path);
}

Scheme read_scheme_text(std::string_view json, const std::string& file) {
  return scheme_of(parse_json_text(json, file), file);
}

nlohmann::ordered_json scheme_json(const Scheme& scheme) {
  const WeightScheme& weights = scheme.weights;
  nlohmann::ordered_json json;
  json["bits"] = widths_text(weights.bits, scheme.activations.bits);
  json["weights"] =
      granularity_text(weights.granularity, weights.group_size) + "," + symmetry(weights.is_symmetric);
  const std::string activations =
      activation_words(scheme.activations.is_symmetric, scheme.activations.is_signed);
  if (!activations.empty()) json["activations"] = activations;
  json["scales"] = scheme.is_power_of_two() ? "power_of_two" : "float";
  json["format"] = scheme.format == NumberFormat::mxint ? "mxint" : "int";
  for (const auto& [name, layer] : scheme.layers) json["layers"][name] = layer_json(layer);
  return json;
}

void check_scheme_nodes(const Scheme& scheme, const std::vector<std::string>& nodes,
                        const std::string& network) {
  std::vector<Problem> problems;
  for (const auto& [name, layer] : scheme.layers) {
    if (std::find(nodes.begin(), nodes.end(), name) != nodes.end()) continue;
    const std::string nearest = nearest_name(name, nodes);
    problems.push_back(
        {scheme.source,
         name,
         {},
         "the name of a node of " + network,
         nearest.empty() ? "a report lists them in layers[].nodes" : "did you mean " + nearest + "?"});
  }
  if (!problems.empty()) throw InputError(std::move(problems));
}

}  // namespace qsim
