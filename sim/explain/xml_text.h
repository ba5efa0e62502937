// Text in XML.
#pragma once

#include <string>

namespace qsim {

/// With what XML takes for markup as entities, and control characters as question marks.
[[nodiscard]] std::string xml_text(const std::string& text);

}  // namespace qsim
