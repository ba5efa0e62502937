// Words of data specifications in reports.
#pragma once

#include <string>

namespace qsim::cli {

/// "cifar10:folder/test_batch.bin,x=y" without folder and options: "cifar10:test_batch.bin".
[[nodiscard]] std::string data_without_folders(const std::string& spec);

}  // namespace qsim::cli
