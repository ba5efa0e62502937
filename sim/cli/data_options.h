// Rows of commands that run a labelled data set: which images, prepared how, in how many processes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/cli/network_options.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/preprocess.h"

namespace qsim::cli {

struct DataOptions {
  std::string data;        ///< FORMAT:PATH; empty: none.
  std::string preprocess;  ///< Shipped name or file; empty: pixels as they are.
  std::int64_t limit = 0;
  std::string list;  ///< File of row numbers; empty: none.
  std::int64_t label_offset = 0;
  std::string output;
  int jobs = 0;  ///< 0: one a processor.
};

[[nodiscard]] int jobs_of(const DataOptions& options);
[[nodiscard]] Preprocess preprocess_of(const DataOptions& options, const ShippedFiles& files);
/// Rows that --list names; empty without it. Throws InputError.
[[nodiscard]] std::vector<std::int64_t> rows_of(const DataOptions& options, const Dataset& data);
/// Base name of the file, or "none".
[[nodiscard]] std::string preprocess_name(const DataOptions& options);

namespace rows {
[[nodiscard]] Option data(bool is_required, const std::string& group);
[[nodiscard]] Option image_preprocess(const std::string& group);
[[nodiscard]] Option limit(const std::string& group);
[[nodiscard]] Option list(const std::string& group);
[[nodiscard]] Option label_offset(const std::string& group);
[[nodiscard]] Option score_output(const std::string& group);
[[nodiscard]] Option jobs(const std::string& group);
}  // namespace rows

/// --data, --preprocess, --limit, --list, --label-offset, --output and --jobs.
template <typename Options>
void add_data_options(CommandTable<Options>& table, DataOptions Options::*data, bool is_required,
                      const std::string& group) {
  table.add(rows::data(is_required, group), store_in(data, &DataOptions::data));
  table.add(rows::image_preprocess(group), store_in(data, &DataOptions::preprocess));
  table.add(rows::limit(group), store_in(data, &DataOptions::limit));
  table.add(rows::list(group), store_in(data, &DataOptions::list));
  table.add(rows::label_offset(group), store_in(data, &DataOptions::label_offset));
  table.add(rows::score_output(group), store_in(data, &DataOptions::output));
  table.add(rows::jobs(group), store_in(data, &DataOptions::jobs));
}

}  // namespace qsim::cli
