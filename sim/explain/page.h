// A page for a browser: a picture and a table, in one file without anything from elsewhere.
#pragma once

#include <string>

namespace qsim {

/// An HTML document in UTF-8. `svg` is an SVG document, `table` text in lines.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& svg,
                                    const std::string& table);

}  // namespace qsim
