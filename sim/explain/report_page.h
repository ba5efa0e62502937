// A report of a run (qsim --report) as a page for a browser.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "sim/explain/roofline.h"

namespace qsim {

/// A report, and the trace of the same run where there is one. `file` and `trace_file` name them in messages.
struct ReportFiles {
  nlohmann::ordered_json report;
  std::string file;
  std::optional<nlohmann::ordered_json> trace;
  std::string trace_file;
};

/// Figures, roofline, energy by component and cycles by cause of each layer, memory map (reports that have
/// `memory_map`), timeline (with a trace): one HTML file without anything from elsewhere. Throws InputError
/// with every key that is missing or is no figure.
[[nodiscard]] std::string report_page(const ReportFiles& files);

/// The roofline of a report's layers: that of the run (roofline_of).
[[nodiscard]] Roofline roofline_of_report(const nlohmann::ordered_json& report, const std::string& file);

}  // namespace qsim
