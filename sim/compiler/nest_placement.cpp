#include "sim/compiler/nest_placement.h"

#include <memory>
#include <variant>

#include "sim/compiler/buffer_placement.h"

namespace qsim {

namespace {

/// Places an option in its row's buffers.
struct NestPlacer {
  const LoweredRow& row;
  std::size_t n;
  const ActivationMap& map;
  std::int64_t slots_begin;

  NestPlan operator()(const MappingOption<GemmMapping>* option) const {
    return GemmPlan{option->mapping,
                    place_in_buffers(*row.gemm(), option->mapping, row, n, map, slots_begin)};
  }
  NestPlan operator()(const MappingOption<VectorMapping>* option) const {
    const auto& problem = *std::get<std::shared_ptr<const VectorProblem>>(row.problems[n]);
    return VectorPlan{option->mapping, place_in_buffers(problem, option->mapping, row, n, map, slots_begin)};
  }
  NestPlan operator()(HostMapping mapping) const { return mapping; }
};

}  // namespace

NestPlan place_nest(const NestChoice& choice, const LoweredRow& row, std::size_t n,
                    const ActivationMap& map) {
  return std::visit(NestPlacer{row, n, map, choice.slots_begin}, choice.option);
}

std::vector<MappedGemm> products(const std::vector<LoweredRow>& lowered,
                                 const std::vector<std::vector<NestPlan>>& nests) {
  std::vector<MappedGemm> found;
  for (std::size_t row = 0; row < nests.size(); ++row) {
    if (const GemmProblem* gemm = lowered[row].gemm(); gemm != nullptr)
      found.push_back({gemm, &std::get<GemmPlan>(nests[row][0]).mapping});
  }
  return found;
}

}  // namespace qsim
