#include "sim/explain/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/explain/xml_text.h"

namespace qsim {

namespace {

/// Line ends stay.
std::string text_of_lines(const std::string& lines) {
  std::string text;
  for (std::size_t begin = 0; begin < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    text += xml_text(lines.substr(begin, end - begin)) + (end < lines.size() ? "\n" : "");
    begin = end + 1;
  }
  return text;
}

}  // namespace

std::string html_page(const std::string& title, const std::vector<PagePart>& parts) {
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>{0}</title>\n"
      "<style>body {{ font-family: sans-serif; margin: 2em; }} svg {{ max-width: 100%; height: auto; "
      "}} pre {{ overflow-x: auto; }}</style>\n"
      "</head>\n<body>\n<h1>{0}</h1>\n",
      xml_text(title));
  for (const PagePart& part : parts) {
    if (!part.heading.empty()) page += "<h2>" + xml_text(part.heading) + "</h2>\n";
    if (!part.text.empty()) page += "<p>" + xml_text(part.text) + "</p>\n";
    page += part.svg;
    if (!part.table.empty()) page += "<pre>" + text_of_lines(part.table) + "</pre>\n";
  }
  return page + "</body>\n</html>\n";
}

std::string html_page(const std::string& title, const std::string& svg, const std::string& table) {
  return html_page(title, {{"", "", svg, table}});
}

}  // namespace qsim
