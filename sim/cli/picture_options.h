// Where a result goes that is a table, a picture and a page: rows that several commands share.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "sim/cli/network_options.h"

namespace qsim::cli {

struct PictureOptions {
  bool json = false;
  std::string svg_path;
  std::string html_path;
};

/// A result in each of its forms; those that are not asked for are not made.
struct PictureForms {
  std::string title;  ///< Of the page.
  std::function<nlohmann::ordered_json()> json;
  std::function<std::string()> table, svg;
};

/// Writes the files, then the table or the JSON to standard output.
void write_forms(const PictureOptions& options, const PictureForms& forms);

/// As files and standard output have it; bytes of names that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const nlohmann::ordered_json& json);

namespace rows {
[[nodiscard]] Option json();
[[nodiscard]] Option svg(const std::string& help);
[[nodiscard]] Option html();
}  // namespace rows

/// --json, --svg and --html.
template <typename Options>
void add_pictures(CommandTable<Options>& table, PictureOptions Options::*pictures,
                  const std::string& svg_help) {
  table.add(rows::json(), store_in(pictures, &PictureOptions::json));
  table.add(rows::svg(svg_help), store_in(pictures, &PictureOptions::svg_path));
  table.add(rows::html(), store_in(pictures, &PictureOptions::html_path));
}

}  // namespace qsim::cli
