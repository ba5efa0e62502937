#include "sim/compiler/chain_pins.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "sim/compiler/chain_choice.h"
#include "sim/compiler/mapping_fields.h"

namespace qsim {

namespace {

class ChainPins {
 public:
  ChainPins(const Schedule& schedule, const std::vector<LoweredRow>& lowered, const HardwareConfig& hardware,
            const std::vector<RowPin>& rows, std::vector<Problem>& problems)
      : schedule_(schedule), lowered_(lowered), hardware_(hardware), rows_(rows), problems_(problems) {}

  std::vector<ChainLayout> run() {
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (rows_[row].fused_with.empty() || is_taken(row)) continue;
      if (!may_fuse(hardware_)) {
        report(row, mapping_keys::kFusedWith, "nothing: this chip executes row by row (mapper.fuses_chains)");
        return {};
      }
      take(row);
    }
    return std::move(chains_);
  }

 private:
  [[nodiscard]] bool is_taken(std::size_t row) const {
    return std::ranges::any_of(chains_, [&](const ChainLayout& chain) { return chain.contains(row); });
  }

  void take(std::size_t row) {
    const std::optional<Chain> chain = chain_around(row);
    if (!chain) {
      report(row, mapping_keys::kFusedWith, "the layers next to this one, all but itself");
      return;
    }
    const std::int64_t rows = output_rows(lowered_[chain->last]);
    if (chain->stripe_rows < 1 || chain->stripe_rows > rows) {
      report(row, mapping_keys::kStripeRows,
             "1 to " + std::to_string(rows) + ", the rows of the last layer's output");
      return;
    }
    std::optional<ChainLayout> layout = lay_out(*chain, schedule_, lowered_, hardware_);
    if (!layout) {
      report(row, mapping_keys::kFusedWith,
             "layers of the chip, each with an output that another of them reads, row by row");
      return;
    }
    chains_.push_back(std::move(*layout));
  }

  /// The neighbours of a row that have the given names; the rows of a stripe are given by any of them.
  [[nodiscard]] std::optional<Chain> chain_around(std::size_t row) const {
    std::vector<std::string> names = rows_[row].fused_with;
    const std::size_t count = names.size() + 1;
    names.push_back(rows_[row].layer);
    std::ranges::sort(names);
    for (std::size_t first = row + 1 > count ? row + 1 - count : 0;
         first <= row && first + count <= rows_.size(); ++first) {
      std::vector<std::string> own;
      Chain chain{first, first + count - 1, 1};
      bool is_free = true;
      for (std::size_t r = first; r < first + count; ++r) {
        own.push_back(rows_[r].layer);
        is_free &= !is_taken(r) && output_is_on_chip(r);
        if (rows_[r].stripe_rows) chain.stripe_rows = *rows_[r].stripe_rows;
      }
      std::ranges::sort(own);
      if (own == names && is_free) return chain;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool output_is_on_chip(std::size_t row) const {
    const auto& problems = lowered_[row].problems;
    return !problems.empty() && !std::holds_alternative<std::shared_ptr<const HostProblem>>(problems[0]);
  }

  void report(std::size_t row, const std::string& key, std::string expected) {
    const RowPin& pin = rows_[row];
    const auto given =
        std::ranges::find_if(pin.values, [&](const auto& value) { return value.first.starts_with(key); });
    std::string value;
    if (key == mapping_keys::kFusedWith) {
      for (const std::string& name : pin.fused_with) value += (value.empty() ? "" : ", ") + name;
    } else {
      value = std::to_string(pin.stripe_rows.value_or(0));
    }
    problems_.push_back({pin.file, given == pin.values.end() ? pin.layer : given->second.place,
                         std::move(value), std::move(expected),
                         "give another value, or leave it to the compiler"});
  }

  const Schedule& schedule_;
  const std::vector<LoweredRow>& lowered_;
  const HardwareConfig& hardware_;
  const std::vector<RowPin>& rows_;
  std::vector<Problem>& problems_;
  std::vector<ChainLayout> chains_;
};

}  // namespace

std::vector<ChainLayout> check_chain_pins(const Schedule& schedule, const std::vector<LoweredRow>& lowered,
                                          const HardwareConfig& hardware, const std::vector<RowPin>& rows,
                                          std::vector<Problem>& problems) {
  return ChainPins(schedule, lowered, hardware, rows, problems).run();
}

}  // namespace qsim
