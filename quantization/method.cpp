#include "quantization/method.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
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
  double least = 0.0, most = 0.0;  ///< The number that may follow in parentheses; both 0: none may.
  void (*set_number)(QuantizationMethod& method, double number) = nullptr;
};

void set_range_number(QuantizationMethod& method, double number) {
  (method.ranges->method == RangeMethod::sqnr ? method.ranges->clipping_weight : method.ranges->percent) =
      number;
}
void set_steps(QuantizationMethod& method, double number) {
  method.rounding_steps = static_cast<int>(number);
}
constexpr double kMostSteps = 1e6;

template <RangeMethod Method>
constexpr Word range_word(std::string_view name, double least = 0.0, double most = 0.0) {
  return {name,
          [](QuantizationMethod& m) { m.ranges = Method; },
          [](const QuantizationMethod& m) { return m.ranges && m.ranges->method == Method; },
          false,
          least,
          most,
          set_range_number};
}

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
    range_word<RangeMethod::min_max>("minmax"),
    range_word<RangeMethod::mse>("mse"),
    range_word<RangeMethod::sqnr>("sqnr", 1.0, 1000.0),
    range_word<RangeMethod::percentile>("percentile", 50.0, 100.0),
    Word{"seqmse", [](QuantizationMethod& m) { m.ranges_by_outputs = true; },
         [](const QuantizationMethod& m) { return m.ranges_by_outputs; }, true},
    Word{"cross_entropy", [](QuantizationMethod& m) { m.ranges_by_entropy = true; },
         [](const QuantizationMethod& m) { return m.ranges_by_entropy; }, true},
    Word{"batch_norm", [](QuantizationMethod& m) { m.ranges_from_norms = true; },
         [](const QuantizationMethod& m) { return m.ranges_from_norms; }},
    Word{"adaround", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::activation); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::activation); }, true, 1.0,
         kMostSteps, set_steps},
    Word{"adaround_layer", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::layer); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::layer); }, true, 1.0,
         kMostSteps, set_steps},
    Word{"adaround_inputs", [](QuantizationMethod& m) { set_rounding(m, RoundingTarget::quantized_inputs); },
         [](const QuantizationMethod& m) { return rounds_to(m, RoundingTarget::quantized_inputs); }, true,
         1.0, kMostSteps, set_steps},
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

/// "(NUMBER)" behind a word.
template <typename Fail>
void set_number(QuantizationMethod& method, const Word& word, std::string_view text, const Fail& fail) {
  if (word.most == 0.0)
    fail(std::string(word.name) + std::string(text), "no number behind " + std::string(word.name));
  double number = 0.0;
  const char* const end = text.data() + text.size() - 1;
  const auto [at, error] = std::from_chars(text.data() + 1, end, number);
  const bool is_number = text.back() == ')' && text.size() > 2 && error == std::errc() && at == end;
  if (!is_number || !(number >= word.least && number <= word.most)) {
    fail(std::string(word.name) + std::string(text),
         fmt::format("{}(NUMBER), a number of {} to {}", word.name, word.least, word.most));
  }
  word.set_number(method, number);
}

}  // namespace

std::string_view name_of(const RangeRule& ranges) {
  switch (ranges.method) {
    case RangeMethod::min_max:
      return "minmax";
    case RangeMethod::mse:
      return "mse";
    case RangeMethod::sqnr:
      return "sqnr";
    case RangeMethod::percentile:
      break;
  }
  return "percentile";
}

std::string text_of(const RangeRule& ranges) {
  switch (ranges.method) {
    case RangeMethod::min_max:
      return "min-max ranges";
    case RangeMethod::mse:
      return "ranges of least squared error";
    case RangeMethod::sqnr:
      return fmt::format("ranges of least squared error, what is clipped counted {} times",
                         ranges.clipping_weight);
    case RangeMethod::percentile:
      break;
  }
  return fmt::format("ranges of {} % of the values to either side", ranges.percent);
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
    const std::string_view part = text.substr(begin, end - begin);
    const std::string_view name = part.substr(0, part.find('('));
    const auto* word = std::ranges::find(kWords, name, &Word::name);
    if (word == kWords.end()) fail(part, "words with + between them: " + all_words());
    if (!seen.insert(name).second) fail(text, "each word once");
    word->set(method);
    if (name.size() < part.size()) set_number(method, *word, part.substr(name.size()), fail);
    begin = end + 1;
  }
  if (seen.count("minmax") + seen.count("mse") + seen.count("sqnr") + seen.count("percentile") > 1)
    fail(text, "minmax or mse or sqnr or percentile");
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
