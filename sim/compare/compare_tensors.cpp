#include "sim/compare/compare_tensors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "base/error.h"
#include "base/json_reader.h"

namespace qsim {
namespace {

bool is_float(const TensorData& data) {
  return data.type == ElementType::f32;
}

/// |a - b| exactly; 64-bit integers may be further apart than int64 holds.
std::uint64_t distance(std::int64_t a, std::int64_t b) {
  return a > b ? static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)
               : static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a);
}

void note(TensorDifference& result, std::int64_t index, double distance, bool beyond) {
  ++result.unequal;
  if (beyond) {
    if (result.different++ == 0) result.first = index;
  }
  if (result.at < 0 || distance > result.largest) {
    result.largest = distance;
    result.at = index;
  }
}

void compare_integers(const TensorData& a, const TensorData& b, std::int64_t steps,
                      TensorDifference& result) {
  for (std::int64_t i = 0; i < result.elements; ++i) {
    const std::uint64_t d = distance(a.at(i), b.at(i));
    if (d != 0) note(result, i, static_cast<double>(d), d > static_cast<std::uint64_t>(steps));
  }
}

void compare_floats(const TensorData& a, const TensorData& b, double relative, TensorDifference& result) {
  const std::span<const float> va = a.as<float>();
  const std::span<const float> vb = b.as<float>();
  double largest_b = 0.0;
  for (const float v : vb) {
    if (std::isfinite(v)) largest_b = std::max(largest_b, std::abs(static_cast<double>(v)));
  }
  for (std::size_t i = 0; i < va.size(); ++i) {
    const bool same_nan = std::isnan(va[i]) && std::isnan(vb[i]);
    if (same_nan || va[i] == vb[i]) continue;
    const double d = std::abs(static_cast<double>(va[i]) - static_cast<double>(vb[i]));
    const bool is_number = std::isfinite(d);
    note(result, static_cast<std::int64_t>(i), is_number ? d : std::numeric_limits<double>::infinity(),
         !is_number || d > relative * largest_b);
  }
}

std::string type_and_shape(const TensorData& data) {
  return std::string(element_type_name(data.type)) + " " + to_string(data.shape);
}

TensorComparison compare_tensor(const NamedTensor& a, const NamedTensor& b, const Tolerance& tolerance) {
  TensorComparison result;
  result.name = a.name;
  result.a = type_and_shape(a.data);
  result.b = type_and_shape(b.data);
  for (const NamedTensor* side : {&a, &b}) {
    if (!result.scale && side->quantization) result.scale = side->quantization->scale();
  }
  if (a.data.shape != b.data.shape) {
    result.verdict = Verdict::other_shape;
    return result;
  }
  result.shape = a.data.shape;
  if (is_float(a.data) != is_float(b.data)) {
    result.verdict = Verdict::other_type;
    return result;
  }
  result.difference = compare_values(a.data, b.data, tolerance);
  if (a.data.type != b.data.type) {
    result.verdict = Verdict::other_type;
  } else if (result.difference->different > 0) {
    result.verdict = Verdict::different;
  } else if (result.difference->unequal > 0) {
    result.verdict = Verdict::within_tolerance;
  }
  return result;
}

using TensorIndex = std::map<std::string_view, const NamedTensor*>;

TensorIndex index_of(const TensorSet& set) {
  TensorIndex index;
  for (const NamedTensor& tensor : set.tensors) index.emplace(tensor.name, &tensor);
  return index;
}

const NamedTensor* find(const TensorIndex& index, const std::string& name) {
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

/// Every name of both sides once: `order` first, then as the files have them.
std::vector<std::string> all_names(const TensorSet& a, const TensorSet& b,
                                   const std::vector<std::string>& order) {
  std::vector<std::string> names;
  std::set<std::string_view> taken;
  const auto take = [&](const std::string& name) {
    if (taken.insert(name).second) names.push_back(name);
  };
  const TensorIndex index_a = index_of(a), index_b = index_of(b);
  for (const std::string& name : order) {
    if (index_a.count(name) + index_b.count(name) > 0) take(name);
  }
  for (const TensorSet* set : {&a, &b}) {
    for (const NamedTensor& tensor : set->tensors) take(tensor.name);
  }
  return names;
}

void expect_common_names(const Comparison& comparison, const TensorSet& a, const TensorSet& b) {
  const bool any = std::any_of(comparison.tensors.begin(), comparison.tensors.end(),
                               [](const auto& tensor) { return !tensor.a.empty() && !tensor.b.empty(); });
  if (any) return;
  std::string hint = "one of the two has no tensors";
  if (!a.tensors.empty() && !b.tensors.empty()) {
    const std::string nearest = nearest_name(b.tensors[0].name, a.names());
    hint = "it has \"" + b.tensors[0].name + "\" and others; the other side " +
           (nearest.empty() ? "\"" + a.tensors[0].name + "\" and others" : "\"" + nearest + "\"");
  }
  throw InputError({b.source, "", "no tensor that " + a.source + " has", "tensors of the same names", hint});
}

}  // namespace

TensorDifference compare_values(const TensorData& a, const TensorData& b, const Tolerance& tolerance) {
  TensorDifference result;
  result.elements = a.size();
  if (is_float(a)) {
    compare_floats(a, b, tolerance.relative, result);
  } else {
    compare_integers(a, b, tolerance.steps, result);
  }
  return result;
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::equal:
      return "equal";
    case Verdict::within_tolerance:
      return "within_tolerance";
    case Verdict::different:
      return "different";
    case Verdict::other_type:
      return "other_type";
    case Verdict::other_shape:
      return "other_shape";
    case Verdict::only_in_a:
      return "only_in_a";
    case Verdict::only_in_b:
      return "only_in_b";
  }
  return "";
}

bool TensorComparison::fails(bool all_in_a, bool all_in_b) const {
  if (verdict == Verdict::only_in_a) return all_in_b;
  if (verdict == Verdict::only_in_b) return all_in_a;
  return verdict != Verdict::equal && verdict != Verdict::within_tolerance;
}

Comparison compare_tensor_sets(const TensorSet& a, const TensorSet& b, const CompareOptions& options) {
  Comparison comparison;
  const TensorIndex index_a = index_of(a), index_b = index_of(b);
  for (const std::string& name : all_names(a, b, options.order)) {
    const NamedTensor* in_a = find(index_a, name);
    const NamedTensor* in_b = find(index_b, name);
    TensorComparison tensor;
    if (in_a != nullptr && in_b != nullptr) {
      tensor = compare_tensor(*in_a, *in_b, options.tolerance);
      const bool differs = tensor.fails(options.all_in_a, options.all_in_b);
      if (differs && !comparison.first_difference) comparison.first_difference = name;
    } else if (in_a != nullptr) {
      tensor.name = name;
      tensor.verdict = Verdict::only_in_a;
      tensor.a = type_and_shape(in_a->data);
    } else if (in_b != nullptr) {
      tensor.name = name;
      tensor.verdict = Verdict::only_in_b;
      tensor.b = type_and_shape(in_b->data);
    }
    if (tensor.fails(options.all_in_a, options.all_in_b)) ++comparison.failures;
    comparison.tensors.push_back(std::move(tensor));
  }
  expect_common_names(comparison, a, b);
  return comparison;
}

std::string position_text(const Shape& shape, std::int64_t index) {
  std::string text;
  for (std::size_t d = shape.size(); d-- > 0;) {
    text.insert(0, (d > 0 ? "," : "") + std::to_string(index % shape[d]));
    index /= shape[d];
  }
  return "[" + text + "]";
}

}  // namespace qsim
