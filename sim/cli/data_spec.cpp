#include "sim/cli/data_spec.h"

#include <algorithm>

#include "sim/report/json_blocks.h"

namespace qsim::cli {

std::string data_without_folders(const std::string& spec) {
  const std::size_t colon = spec.find(':');
  if (colon == std::string::npos) return spec;
  const std::size_t comma = std::min(spec.find(',', colon), spec.size());
  std::string path = spec.substr(colon + 1, comma - colon - 1);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return spec.substr(0, colon + 1) + base_name(path);
}

}  // namespace qsim::cli
