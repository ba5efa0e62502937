// Reading the words of a scheme; problems are gathered with their column.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "workloads/graph/scheme.h"

namespace qsim {

class SchemeText {
 public:
  static constexpr std::array<std::string_view, 4> kKeys = {"weights", "activations", "scales", "format"};

  /// `offset`: characters before the text in what the columns count.
  explicit SchemeText(std::string source, std::size_t offset = 0);

  /// Values that follow stand at this place of a JSON file.
  void in_json(std::string place);

  void scheme(std::string_view text, Scheme& scheme);
  bool widths(std::string_view text, std::size_t at, LayerScheme& layer);
  void weights(std::string_view value, std::size_t at, LayerScheme& layer);
  void activations(std::string_view value, std::size_t at, LayerScheme& layer);
  [[nodiscard]] ScaleKind scales(std::string_view value, std::size_t at);
  [[nodiscard]] NumberFormat format(std::string_view value, std::size_t at);

  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_.all(); }
  void throw_if_any() const { problems_.throw_if_any(); }

  /// What `layer` says goes into the scheme.
  static void apply(const LayerScheme& layer, Scheme& scheme);

 private:
  void report(std::size_t at, std::string_view value, std::string expected, std::string hint = {});
  int width(std::string_view digits, std::size_t at, const char* what);
  std::optional<Granularity> granularity_of(std::string_view word, std::size_t at, LayerScheme& layer);
  void pair(std::string_view text, std::size_t at, LayerScheme& layer, Scheme& scheme,
            std::array<bool, kKeys.size()>& seen);

  /// Words with commas between them, each with its column.
  template <typename Visit>
  static void for_each_word(std::string_view value, std::size_t at, const Visit& visit) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t comma = value.find(',', begin);
      const std::size_t end = comma == std::string_view::npos ? value.size() : comma;
      visit(value.substr(begin, end - begin), at + begin);
      begin = end + 1;
    }
  }

  std::string source_;
  std::size_t offset_ = 0;
  bool is_json_ = false;
  std::string json_place_;
  ProblemCollector problems_;
};

}  // namespace qsim
