#include "workloads/readers/onnx/attributes.h"

#include <algorithm>

#include "base/error.h"

namespace qsim::onnx_format {

void Attributes::fail(const std::string& name, const std::string& value, const std::string& expected) const {
  throw InputError(Problem{file_, node_.place + " attribute " + name, value, expected,
                           "the ONNX operator documentation has it"});
}

template <typename T>
const T* Attributes::find(const std::string& name, const char* expected) const {
  asked_.insert(name);
  const auto found = std::find_if(node_.attributes.begin(), node_.attributes.end(),
                                  [&](const OnnxAttribute& attribute) { return attribute.name == name; });
  if (found == node_.attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&found->value);
  if (value == nullptr) fail(name, "a value of another type", expected);
  return value;
}

bool Attributes::has(const std::string& name) const {
  return std::any_of(node_.attributes.begin(), node_.attributes.end(),
                     [&](const OnnxAttribute& attribute) { return attribute.name == name; });
}

std::int64_t Attributes::integer(const std::string& name, std::int64_t fallback) const {
  const auto* value = find<std::int64_t>(name, "an integer");
  return value != nullptr ? *value : fallback;
}

std::int64_t Attributes::required_integer(const std::string& name) const {
  const auto* value = find<std::int64_t>(name, "an integer");
  if (value == nullptr) fail(name, "none", "an integer");
  return *value;
}

bool Attributes::flag(const std::string& name, bool fallback) const {
  const std::int64_t value = integer(name, fallback ? 1 : 0);
  if (value != 0 && value != 1) fail(name, std::to_string(value), "0 or 1");
  return value == 1;
}

float Attributes::real(const std::string& name, float fallback) const {
  const auto* value = find<float>(name, "a number");
  return value != nullptr ? *value : fallback;
}

std::string Attributes::text(const std::string& name, const std::string& fallback) const {
  const auto* value = find<std::string>(name, "a string");
  return value != nullptr ? *value : fallback;
}

std::optional<std::vector<std::int64_t>> Attributes::integers(const std::string& name) const {
  const auto* value = find<std::vector<std::int64_t>>(name, "a list of integers");
  return value != nullptr ? std::optional(*value) : std::nullopt;
}

const OnnxTensor* Attributes::tensor(const std::string& name) const {
  return find<OnnxTensor>(name, "a tensor");
}

void Attributes::finish() const {
  std::set<std::string> seen;
  for (const OnnxAttribute& attribute : node_.attributes) {
    if (!seen.insert(attribute.name).second) fail(attribute.name, "an attribute given twice", "one value");
    if (asked_.count(attribute.name) == 0)
      fail(attribute.name, "an attribute that " + node_.op_type + " does not have here", "none of that name");
  }
}

}  // namespace qsim::onnx_format
