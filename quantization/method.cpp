#include "quantization/method.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"

namespace qsim {
namespace {

/// A word and what it sets.
struct Word {
  std::string_view name;
  void (*set)(QuantizationMethod& method);
  bool (*is_set)(const QuantizationMethod& method);
  bool needs_data = false;
};

void set_rounding(QuantizationMethod& method, RoundingTarget target) {
  method.rounds_adaptively = true;
  method.rounding_target = target;
}
bool rounds_to(const QuantizationMethod& method, RoundingTarget target) {
  return method.rounds_adaptively && method.rounding_target == target;
}

constexpr std::array kWords{
    Word{"relu", [](QuantizationMethod& m) { m.replaces_relu6 = true; },
         [](const QuantizationMethod& m) { return m.replaces_relu6; }},
    Word{"cle", [](QuantizationMethod& m) { m.equalizes = true; },
         [](const QuantizationMethod& m) { return m.equalizes; }},
    Word{"absorption", [](QuantizationMethod& m) { m.absorbs_biases = true; },
         [](const QuantizationMethod& m) { return m.absorbs_biases; }},
    Word{"minmax", [](QuantizationMethod& m) { m.ranges = RangeMethod::min_max; },
         [](const QuantizationMethod& m) { return m.ranges == RangeMethod::min_max; }},
    Word{"mse", [](QuantizationMethod& m) { m.ranges = RangeMethod::mse; },
         [](const QuantizationMethod& m) { return m.ranges == RangeMethod::mse; }},
    Word{"batch_norm", [](QuantizationMethod& m) { m.ranges_from_norms = true; },
         [](const QuantizationMethod& m) { return m.ranges_from_norms; }},
    Word{"adaround", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::activation); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::activation); }, true},
    Word{"adaround_layer", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::layer); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::layer); }, true},
    Word{"adaround_inputs", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::quantized_inputs); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::quantized_inputs); }, true},
    Word{"bias_correction", [](QuantizationMethod& m) { m.corrects_biases = true; },
         [](const QuantizationMethod& m) { return m.corrects_biases; }}};

constexpr std::string_view kPipeline = "pipeline";
constexpr std::string_view kWithData = "cle+mse+adaround";
constexpr std::string_view kWithoutData = "cle+absorption+mse+batch_norm+bias_correction";

std::string all_words() {
  std::string words(kPipeline);
  for (const Word& word : kWords) words += ", " + std::string(word.name);
  return words;
}

}  // namespace

std::string_view name_of(RangeMethod ranges) {
  return ranges == RangeMethod::mse ? "mse" : "minmax";
}

QuantizationMethod parse_method(std::string_view text, const std::string& option, bool has_data) {
  const auto fail = [&](std::string_view value, const std::string& expected) {
    throw InputError({option, "", '"' + std::string(value) + '"', expected, "as in " + option + " cle+mse"});
  };
  if (text == kPipeline) return parse_method(has_data ? kWithData : kWithoutData, option);
  QuantizationMethod method;
  std::set<std::string_view> seen;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('+', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto* word = std::ranges::find(kWords, name, &Word::name);
    if (word == kWords.end()) fail(name, "words with + between them: " + all_words());
    if (!seen.insert(name).second) fail(text, "each word once");
    word->set(method);
    begin = end + 1;
  }
  if (seen.contains("minmax") && seen.contains("mse")) fail(text, "minmax or mse");
  if (seen.contains("adaround") + seen.contains("adaround_layer") + seen.contains("adaround_inputs") > 1)
    fail(text, "one of adaround, adaround_layer and adaround_inputs");
  return method;
}

std::string data_free_words() {
  std::string text;
  for (const Word& word : kWords) {
    if (!word.needs_data) text += (text.empty() ? "" : ", ") + std::string(word.name);
  }
  return text;
}

std::string to_string(const QuantizationMethod& method) {
  std::string text;
  for (const Word& word : kWords) {
    if (word.is_set(method)) text += (text.empty() ? "" : "+") + std::string(word.name);
  }
  return text;
}

}  // namespace qsim
