#include "sim/report/uncertainty.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

namespace qsim {
namespace {

constexpr const char* kAssumed = "assumed";
constexpr const char* kExtrapolated = "extrapolated";
/// So many entries are named as fit, with what is written before and behind them, in 100 columns.
constexpr std::size_t kColumns = 80;

/// Empty of a term that can be relied on.
std::string doubt_of(const EnergyTerm& term) {
  if (term.kind == kAssumed) return kAssumed;
  return term.kind == kExtrapolated || term.beyond_curve ? kExtrapolated : "";
}

}  // namespace

Uncertainty uncertainty_of(const EventCounts& events, const std::vector<EnergyTerm>& terms) {
  std::map<std::pair<std::string, std::string>, UncertainEntry> entries;
  Uncertainty uncertainty;
  for (const EnergyTerm& term : terms) {
    const auto found = events.find(term.event.name());
    const std::string kind = doubt_of(term);
    if (kind.empty() || found == events.end() || found->second == 0) continue;
    const double pj = static_cast<double>(found->second) * term.unit_pj;
    UncertainEntry& entry =
        entries.try_emplace({term.key, kind}, UncertainEntry{term.key, kind, term.source}).first->second;
    entry.energy_pj += pj;
    uncertainty.energy_pj += pj;
  }
  for (auto& [key, entry] : entries) uncertainty.entries.push_back(std::move(entry));
  std::ranges::stable_sort(uncertainty.entries, std::ranges::greater{}, &UncertainEntry::energy_pj);
  return uncertainty;
}

std::string uncertainty_remark(const RunSummary& summary) {
  const std::vector<UncertainEntry>& entries = summary.uncertainty.entries;
  const double total = summary.totals.energy_total_pj;
  if (entries.empty() || total <= 0.0) return {};
  std::string text = "assumed or extrapolated energies:";
  std::size_t named = 0;
  for (; named < entries.size(); ++named) {
    const std::string more = fmt::format("{} {} ({:.1f}%)", named == 0 ? "" : ",", entries[named].key,
                                         100.0 * entries[named].energy_pj / total);
    if (named > 0 && text.size() + more.size() > kColumns) break;
    text += more;
  }
  if (named < entries.size()) text += fmt::format(" and {} more", entries.size() - named);
  return text;
}

}  // namespace qsim
