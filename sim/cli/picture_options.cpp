#include "sim/cli/picture_options.h"

#include "base/atomic_file.h"
#include "sim/cli/output_files.h"
#include "sim/explain/page.h"

namespace qsim::cli {

void write_forms(const PictureOptions& options, const PictureForms& forms) {
  if (!options.svg_path.empty()) write_file_atomically(options.svg_path, forms.svg());
  if (!options.html_path.empty()) {
    write_file_atomically(options.html_path, html_page(forms.title, forms.svg(), forms.table()));
  }
  write_standard_output(options.json ? json_text(forms.json()) : forms.table());
}

std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

namespace rows {

Option json() {
  return {.name = "json", .group = "result", .help = "the result as JSON (docs/explain.md)"};
}

Option svg(const std::string& help) {
  return {.name = "svg",
          .kind = ValueKind::output_file,
          .value = "FILE.svg",
          .extensions = {".svg"},
          .group = "result",
          .help = help};
}

Option html() {
  return {.name = "html",
          .kind = ValueKind::output_file,
          .value = "FILE.html",
          .extensions = {".html"},
          .group = "result",
          .help = "a page with the picture and the table"};
}

}  // namespace rows
}  // namespace qsim::cli
