#include "sim/cli/commands/report_command.h"

#include "base/atomic_file.h"
#include "base/json_reader.h"
#include "sim/explain/report_page.h"

namespace qsim::cli {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;

struct ReportArguments {
  std::string file;
  std::string html_path;
  std::string trace_path;
};

int run_report(const ReportArguments& arguments, const ShippedFiles& /*files*/) {
  ReportFiles files;
  files.file = arguments.file;
  files.report = parse_json_file(arguments.file, kMostBytes);
  if (!arguments.trace_path.empty()) {
    files.trace_file = arguments.trace_path;
    files.trace = parse_json_file(arguments.trace_path, kMostBytes);
  }
  write_file_atomically(arguments.html_path, report_page(files));
  return 0;
}

}  // namespace

Command report_command() {
  using A = ReportArguments;
  CommandTable<A> table(
      {.name = "report",
       .summary = "Makes a page of a run's report: roofline, layers, memory map, timeline",
       .usage = {"FILE.json --html OUT.html [--trace TRACE.json]"},
       .notes = {"FILE.json is what qsim --report wrote, TRACE.json what --trace wrote in the same run."},
       .examples = {"qsim report resnet8.json --html resnet8.html"}});
  table
      .add({.name = "FILE",
            .kind = ValueKind::input_file,
            .extensions = {".json"},
            .positional = true,
            .required = true,
            .help = "the report"},
           &A::file)
      .add({.name = "html",
            .kind = ValueKind::output_file,
            .value = "OUT.html",
            .extensions = {".html"},
            .required = true,
            .help = "the page, which needs no other file"},
           &A::html_path)
      .add({.name = "trace",
            .kind = ValueKind::input_file,
            .value = "TRACE.json",
            .extensions = {".json"},
            .help = "adds what each unit did, cycle by cycle"},
           &A::trace_path);
  return table.runs(run_report);
}

}  // namespace qsim::cli
