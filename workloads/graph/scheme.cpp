#include "workloads/graph/scheme.h"

#include <array>
#include <charconv>

#include "base/error.h"
#include "workloads/graph/scheme_text.h"

namespace qsim {
namespace {

constexpr const char* kExample = "as in w4a8:weights=per_channel,symmetric;activations=asymmetric";

std::size_t digits_at(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  return end - begin;
}

/// Length of the w<digits>a<digits> that a text begins with; 0 where it does not.
std::size_t widths_length(std::string_view text) {
  if (!text.starts_with('w')) return 0;
  const std::size_t weight_digits = digits_at(text, 1);
  const std::size_t a = 1 + weight_digits;
  if (weight_digits == 0 || a >= text.size() || text[a] != 'a') return 0;
  const std::size_t activation_digits = digits_at(text, a + 1);
  return activation_digits == 0 ? 0 : a + 1 + activation_digits;
}

/// A part of a list in which a scheme begins.
bool begins_scheme(std::string_view part) {
  const std::size_t length = widths_length(part);
  return length > 0 && (length == part.size() || part[length] == ':');
}

}  // namespace

SchemeText::SchemeText(std::string source, std::size_t offset)
    : source_(std::move(source)), offset_(offset) {}

void SchemeText::report(std::size_t at, std::string_view value, std::string expected, std::string hint) {
  std::string place = "column " + std::to_string(offset_ + at + 1);
  if (is_json_) place = json_place_ + (at == 0 ? "" : ", " + place);
  problems_.add({source_, std::move(place), value.empty() ? "nothing" : '"' + std::string(value) + '"',
                 std::move(expected), hint.empty() ? kExample : std::move(hint)});
}

void SchemeText::in_json(std::string place) {
  is_json_ = true;
  json_place_ = std::move(place);
}

int SchemeText::width(std::string_view digits, std::size_t at, const char* what) {
  int bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || bits < 1 || bits > 16) {
    report(at, digits, std::string(what) + " of 1 to 16 bits", "operands on the chip have at most 16 bits");
    return 8;
  }
  return bits;
}

bool SchemeText::widths(std::string_view text, std::size_t at, LayerScheme& layer) {
  const std::size_t length = widths_length(text);
  if (length != text.size() || length == 0) {
    report(at, text, "w<bits>a<bits>: widths of weights and activations");
    return false;
  }
  const std::size_t a = text.find('a');
  layer.weight_bits = width(text.substr(1, a - 1), at + 1, "weights");
  layer.activation_bits = width(text.substr(a + 1), at + a + 1, "activations");
  return true;
}

void SchemeText::weights(std::string_view value, std::size_t at, LayerScheme& layer) {
  for_each_word(value, at, [&](std::string_view word, std::size_t column) {
    if (word == "symmetric" || word == "asymmetric") {
      if (layer.weights_symmetric) report(column, word, "one symmetry");
      layer.weights_symmetric = word == "symmetric";
    } else if (const std::optional<Granularity> granularity = granularity_of(word, column, layer)) {
      layer.granularity = granularity;
    }
  });
}

std::optional<Granularity> SchemeText::granularity_of(std::string_view word, std::size_t at,
                                                      LayerScheme& layer) {
  constexpr std::string_view kGroup = "per_group";
  if (layer.granularity && (word.starts_with("per_"))) report(at, word, "one granularity");
  if (word == "per_tensor") return Granularity::per_tensor;
  if (word == "per_channel") return Granularity::per_channel;
  if (!word.starts_with(kGroup)) {
    report(at, word, "per_tensor, per_channel, per_group(N), symmetric or asymmetric");
    return std::nullopt;
  }
  const std::string_view rest = word.substr(kGroup.size());
  const bool in_parentheses = rest.size() > 2 && rest.starts_with('(') && rest.ends_with(')');
  const std::string_view digits = in_parentheses ? rest.substr(1, rest.size() - 2) : std::string_view{};
  std::int64_t size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error != std::errc{} || end != digits.data() + digits.size() || size < 1 || size > (1 << 20)) {
    report(at + kGroup.size(), rest, "the size of a group in parentheses, 1 to 1048576",
           "as in weights=per_group(32)");
    return std::nullopt;
  }
  layer.group_size = size;
  return Granularity::per_group;
}

void SchemeText::activations(std::string_view value, std::size_t at, LayerScheme& layer) {
  for_each_word(value, at, [&](std::string_view word, std::size_t column) {
    if (word == "symmetric" || word == "asymmetric") {
      if (layer.activations_symmetric) report(column, word, "one symmetry");
      layer.activations_symmetric = word == "symmetric";
    } else if (word == "signed" || word == "unsigned") {
      if (layer.activations_signed) report(column, word, "one of signed and unsigned");
      layer.activations_signed = word == "signed";
    } else {
      const bool is_granularity = word.starts_with("per_");
      report(
          column, word, "symmetric or asymmetric, signed or unsigned",
          is_granularity ? "activations have a scale a tensor: one a channel could not leave the sum" : "");
    }
  });
}

ScaleKind SchemeText::scales(std::string_view value, std::size_t at) {
  if (value == "power_of_two") return ScaleKind::power_of_two;
  if (value != "float") report(at, value, "float or power_of_two");
  return ScaleKind::floating;
}

NumberFormat SchemeText::format(std::string_view value, std::size_t at) {
  if (value == "mxint") return NumberFormat::mxint;
  if (value != "int") report(at, value, "int or mxint");
  return NumberFormat::integer;
}

void SchemeText::scheme(std::string_view text, Scheme& scheme) {
  LayerScheme layer;
  const std::size_t colon = std::min(text.find(':'), text.size());
  widths(text.substr(0, colon), 0, layer);
  std::array<bool, kKeys.size()> seen{};
  for (std::size_t begin = colon + 1; begin <= text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    pair(text.substr(begin, end - begin), begin, layer, scheme, seen);
    begin = end + 1;
  }
  apply(layer, scheme);
}

void SchemeText::pair(std::string_view text, std::size_t at, LayerScheme& layer, Scheme& scheme,
                      std::array<bool, kKeys.size()>& seen) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const std::string_view key = text.substr(0, equals);
  const std::string_view value = text.substr(std::min(equals + 1, text.size()));
  const std::size_t value_at = at + equals + 1;
  std::size_t k = 0;
  while (k < kKeys.size() && kKeys[k] != key) ++k;
  if (k == kKeys.size() || equals == text.size()) {
    report(at, text, "weights=, activations=, scales= or format=");
    return;
  }
  if (seen[k]) return report(at, key, "each key once");
  seen[k] = true;
  if (k == 0) weights(value, value_at, layer);
  if (k == 1) activations(value, value_at, layer);
  if (k == 2) scheme.scales = scales(value, value_at);
  if (k == 3) scheme.format = format(value, value_at);
}

void SchemeText::apply(const LayerScheme& layer, Scheme& scheme) {
  scheme.weights.bits = layer.weight_bits.value_or(scheme.weights.bits);
  scheme.weights.granularity = layer.granularity.value_or(scheme.weights.granularity);
  if (layer.granularity) scheme.weights.group_size = layer.group_size;
  scheme.weights.is_symmetric = layer.weights_symmetric.value_or(scheme.weights.is_symmetric);
  scheme.activations.bits = layer.activation_bits.value_or(scheme.activations.bits);
  if (layer.activations_symmetric) scheme.activations.is_symmetric = layer.activations_symmetric;
  if (layer.activations_signed) scheme.activations.is_signed = layer.activations_signed;
}

Scheme parse_scheme(std::string_view text, const std::string& source) {
  Scheme scheme;
  scheme.source = source;
  SchemeText parser(source);
  parser.scheme(text, scheme);
  parser.throw_if_any();
  return scheme;
}

std::vector<std::string_view> split_scheme_list(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = std::min(text.find(',', begin), text.size());
    while (end < text.size() && !begins_scheme(text.substr(end + 1, text.find(',', end + 1) - end - 1))) {
      end = std::min(text.find(',', end + 1), text.size());
    }
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::vector<Scheme> parse_scheme_list(std::string_view text, const std::string& source) {
  std::vector<Scheme> schemes;
  ProblemCollector problems;
  for (const std::string_view part : split_scheme_list(text)) {
    Scheme scheme;
    scheme.source = source;
    SchemeText parser(source, static_cast<std::size_t>(part.data() - text.data()));
    parser.scheme(part, scheme);
    for (const Problem& problem : parser.problems()) problems.add(problem);
    schemes.push_back(std::move(scheme));
  }
  problems.throw_if_any();
  return schemes;
}

WeightScheme Scheme::weights_of(const std::string& node) const {
  const auto found = layers.find(node);
  if (found == layers.end()) return weights;
  Scheme own = *this;
  SchemeText::apply(found->second, own);
  return own.weights;
}

ActivationScheme Scheme::activations_of(const std::string& node) const {
  const auto found = layers.find(node);
  if (found == layers.end()) return activations;
  Scheme own = *this;
  SchemeText::apply(found->second, own);
  return own.activations;
}

}  // namespace qsim
