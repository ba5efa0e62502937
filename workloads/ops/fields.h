// The fields of an operation, named once: workload files are read and written and their schema is made by one
// visit each (workloads/readers/json/op_fields_*.cpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "workloads/graph/graph.h"

namespace qsim {

struct Field {
  const char* key;
  const char* description;
  bool states_default = true;  ///< The schema has the default; otherwise the description tells it.
  bool is_always_written = false;
};

struct HeightWidth {
  std::int64_t h = 1, w = 1;
};
/// References to the four sides of a padding.
struct PaddingSides {
  std::int64_t &top, &bottom, &left, &right;
};

class OpFields {
 public:
  OpFields() = default;
  virtual ~OpFields() = default;
  OpFields(const OpFields&) = delete;
  OpFields& operator=(const OpFields&) = delete;

  /// The name that the operation has in the file.
  [[nodiscard]] virtual std::string_view form() const = 0;
  /// Reading: a problem at `key` unless `holds`.
  virtual void expect(bool holds, const char* key, const char* expected) = 0;

  /// A number for both directions, or [height, width]. Without a fallback the key is required.
  virtual void height_width(const Field& field, std::int64_t& h, std::int64_t& w,
                            std::optional<HeightWidth> fallback) = 0;
  /// "padding": "valid", "same", a number, or four. Without a kernel it is the weights'.
  virtual void padding(PaddingSides sides, std::optional<HeightWidth> kernel, HeightWidth stride,
                       HeightWidth dilation) = 0;
  /// "padding" of a transposed convolution, which decides the output's size.
  virtual void transposed_padding(HeightWidth stride, std::int64_t& top, std::int64_t& left) = 0;
  /// No field: the input's channels.
  virtual void input_channels(std::int64_t& channels) = 0;
  virtual void activation(Activation& activation) = 0;

  virtual void integer(const Field& field, std::int64_t& value, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> fallback) = 0;
  virtual void boolean(const Field& field, bool& value, bool fallback) = 0;
  virtual void number(const Field& field, float& value, double min, double max,
                      std::optional<float> fallback) = 0;
  /// A bound that does not bind where it is absent: then it is `limitless`.
  virtual void limit(const Field& field, float& value, float limitless) = 0;
  /// A number for both directions, or [height, width]; above 0.
  virtual void factors(const Field& field, float& h, float& w) = 0;
  virtual void integers(const Field& field, std::vector<std::int64_t>& values, std::int64_t min,
                        std::int64_t max, const std::vector<std::int64_t>* fallback) = 0;
  virtual void indices(const Field& field, std::vector<int>& values, int max) = 0;
  /// Dimensions of the first input; negative ones count from the end. They become ascending.
  virtual void axes(const Field& field, std::vector<int>& axes) = 0;
  virtual void axis(const Field& field, int& axis) = 0;
  /// In the output's integers (default: the input's zero point), or of a float tensor.
  virtual void padded_value(const Field& field, std::int64_t& integer, float& real) = 0;
  /// The output's dimensions; one may be -1.
  virtual void output_shape(const Field& field) = 0;

  /// A value of an enumeration, numbered as `names`; the first where it is absent.
  template <typename Enum>
  void choice(const Field& field, Enum& value, std::span<const char* const> names) {
    auto index = static_cast<std::size_t>(value);
    choose(field, index, names);
    value = static_cast<Enum>(index);
  }

 protected:
  virtual void choose(const Field& field, std::size_t& index, std::span<const char* const> names) = 0;
};

}  // namespace qsim
