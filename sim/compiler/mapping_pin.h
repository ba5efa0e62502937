// A mapping of which some values are given beforehand.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace qsim {

/// `value` has a meaning only for the keys (mapping_fields.h) in `given`.
template <typename MappingType>
struct Pinned {
  MappingType value;
  std::map<std::string, std::string, std::less<>> given;  ///< Key to its place in the file.

  [[nodiscard]] bool gives(std::string_view key) const { return given.find(key) != given.end(); }
};

/// Why a given value leaves no mapping.
struct PinRejection {
  std::string key;       ///< As in Pinned::given.
  std::string value;     ///< As written.
  std::string expected;  ///< What would have been legal.
};

}  // namespace qsim
