#include "hw_models/pe_array/pe_grid.h"

#include "hw_models/pe_array/dot_product_grid.h"
#include "hw_models/pe_array/output_grid.h"
#include "hw_models/pe_array/stationary_grid.h"

namespace qsim {

std::unique_ptr<PeGrid> make_pe_grid(const MacArrayConfig& config, std::int64_t update_cycles,
                                     SumCollector& sums) {
  if (config.organization == Organization::dot_product) return std::make_unique<DotProductGrid>(config, sums);
  if (config.keeps_sums_in_pes()) return std::make_unique<OutputGrid>(config, update_cycles, sums);
  return std::make_unique<StationaryGrid>(config, sums);
}

}  // namespace qsim
