#include "hw_models/pe_array/pe_grid.h"

#include "hw_models/pe_array/dot_product_grid.h"
#include "hw_models/pe_array/output_grid.h"
#include "hw_models/pe_array/stationary_grid.h"

namespace qsim {

std::unique_ptr<PeGrid> make_pe_grid(PeGridKind kind, const MacArrayConfig& config, std::int64_t macs_a_pe,
                                     std::int64_t update_cycles, SumCollector& sums) {
  switch (kind) {
    case PeGridKind::stationary:
      return std::make_unique<StationaryGrid>(config, macs_a_pe, sums);
    case PeGridKind::output:
      return std::make_unique<OutputGrid>(config, update_cycles, sums);
    case PeGridKind::dot_product:
      return std::make_unique<DotProductGrid>(config, macs_a_pe, sums);
  }
  return nullptr;
}

}  // namespace qsim
