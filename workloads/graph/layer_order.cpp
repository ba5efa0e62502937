#include "workloads/graph/layer_order.h"

#include <algorithm>
#include <functional>
#include <queue>

namespace qsim {
namespace {

/// Walks back along needs that are not satisfied until a layer comes up again.
std::vector<std::size_t> find_cycle(const std::vector<std::vector<std::size_t>>& needs,
                                    const std::vector<bool>& placed) {
  const auto first = std::find(placed.begin(), placed.end(), false);
  std::vector<std::size_t> path{static_cast<std::size_t>(first - placed.begin())};
  std::vector<bool> seen(needs.size(), false);
  while (!seen[path.back()]) {
    seen[path.back()] = true;
    const std::vector<std::size_t>& open = needs[path.back()];
    // A layer that was not placed needs one that was not placed either.
    path.push_back(*std::find_if(open.begin(), open.end(), [&](std::size_t i) { return !placed[i]; }));
  }
  const auto start = std::find(path.begin(), path.end(), path.back());
  std::vector<std::size_t> cycle(start, path.end() - 1);
  std::reverse(cycle.begin(), cycle.end());
  return cycle;
}

}  // namespace

LayerOrder order_layers(const std::vector<std::vector<std::size_t>>& needs) {
  std::vector<std::vector<std::size_t>> users(needs.size());
  std::vector<std::size_t> open(needs.size());
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    open[i] = needs[i].size();
    for (const std::size_t needed : needs[i]) users[needed].push_back(i);
    if (open[i] == 0) ready.push(i);
  }
  LayerOrder result;
  std::vector<bool> placed(needs.size(), false);
  while (!ready.empty()) {
    const std::size_t layer = ready.top();
    ready.pop();
    placed[layer] = true;
    result.order.push_back(layer);
    for (const std::size_t user : users[layer]) {
      if (--open[user] == 0) ready.push(user);
    }
  }
  if (result.order.size() < needs.size()) result.cycle = find_cycle(needs, placed);
  return result;
}

}  // namespace qsim
