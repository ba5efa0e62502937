// A page for a browser: pictures and tables, in one file without anything from elsewhere.
#pragma once

#include <string>
#include <vector>

namespace qsim {

/// A picture, a table, or both; what is empty is left out.
struct PagePart {
  std::string heading;
  std::string text;   ///< A sentence below the heading.
  std::string svg;    ///< An SVG document.
  std::string table;  ///< Text in lines.
};

/// An HTML document in UTF-8 without scripts.
[[nodiscard]] std::string html_page(const std::string& title, const std::vector<PagePart>& parts);

/// A picture and a table below it.
[[nodiscard]] std::string html_page(const std::string& title, const std::string& svg,
                                    const std::string& table);

}  // namespace qsim
