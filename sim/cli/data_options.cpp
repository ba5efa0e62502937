#include "sim/cli/data_options.h"

#include <algorithm>
#include <thread>

#include "sim/cli/data_spec.h"
#include "sim/report/json_blocks.h"
#include "workloads/dataset/row_list.h"

namespace qsim::cli {
namespace {

constexpr std::int64_t kMillion = 1'000'000;

}  // namespace

int jobs_of(const DataOptions& options) {
  const int processors = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return options.jobs > 0 ? options.jobs : processors;
}

Preprocess preprocess_of(const DataOptions& options, const ShippedFiles& files) {
  return options.preprocess.empty() ? no_preprocess(files.preprocess)
                                    : read_preprocess(options.preprocess, files.preprocess);
}

std::vector<std::int64_t> rows_of(const DataOptions& options, const Dataset& data) {
  if (options.list.empty()) return {};
  return read_row_list(options.list, data.size(), data_without_folders(options.data));
}

std::string preprocess_name(const DataOptions& options) {
  return options.preprocess.empty() ? "none" : base_name(options.preprocess);
}

namespace rows {

Option data(bool is_required, const std::string& group) {
  return {.name = "data",
          .kind = ValueKind::text,
          .value = "FORMAT:PATH",
          .reads_data = true,
          .required = is_required,
          .group = group,
          .help = "cifar10:FILE, images:FOLDER or idx:FILE (docs/datasets.md)"};
}

Option image_preprocess(const std::string& group) {
  return {.name = "preprocess",
          .kind = ValueKind::preprocess,
          .value = "FILE|NAME",
          .extensions = {".json"},
          .group = group,
          .default_text = "pixels as they are",
          .help = "size, crop, mean and scale"};
}

Option limit(const std::string& group) {
  return {.name = "limit",
          .kind = ValueKind::integer,
          .value = "N",
          .min = 1,
          .group = group,
          .help = "N images, spread evenly over the set"};
}

Option list(const std::string& group) {
  return {.name = "list",
          .kind = ValueKind::input_file,
          .value = "FILE",
          .excludes = {"limit"},
          .excludes_because = "the list says which images are run",
          .needs = "data",
          .group = group,
          .help = "images whose row numbers (from 0) FILE has, one a line"};
}

Option label_offset(const std::string& group) {
  return {.name = "label-offset",
          .kind = ValueKind::integer,
          .value = "N",
          .min = -kMillion,
          .max = kMillion,
          .group = group,
          .default_text = "0",
          .help = "class of label 0 (1 where class 0 is the background)"};
}

Option score_output(const std::string& group) {
  return {.name = "output",
          .kind = ValueKind::text,
          .value = "NAME",
          .group = group,
          .help = "the output with the scores, of a network with several"};
}

Option jobs(const std::string& group) {
  return {.name = "jobs",
          .kind = ValueKind::integer,
          .value = "N",
          .min = 1,
          .max = 1024,
          .group = group,
          .default_text = "one a processor",
          .help = "processes"};
}

}  // namespace rows
}  // namespace qsim::cli
