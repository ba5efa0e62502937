#include "quantization/weight_groups.h"

#include <algorithm>
#include <map>
#include <set>

#include "workloads/ops/definition.h"

namespace qsim {
namespace {

constexpr std::size_t kListed = 8;  ///< Numbers of channels that a message lists.

bool wants_groups(const Node& node, const Scheme& scheme) {
  return definition(node.op).has_weights &&
         scheme.weights_of(node.name).granularity == Granularity::per_group;
}

/// The scheme names the layer, and groups for it.
bool asks_for_groups(const Node& node, const Scheme& scheme) {
  const auto own = scheme.layers.find(node.name);
  return own != scheme.layers.end() && own->second.granularity == Granularity::per_group;
}

std::string list_of(const std::set<std::int64_t>& numbers) {
  std::string text;
  std::size_t listed = 0;
  for (const std::int64_t number : numbers) {
    if (listed++ == kListed) return text + ", ..";
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  }
  return text;
}

std::string layers_text(int count) {
  return std::to_string(count) + (count == 1 ? " layer" : " layers");
}

Problem problem_of_layer(const Node& node, std::int64_t size, std::int64_t channels, const Scheme& scheme) {
  return {scheme.source, "layers." + node.name, "groups of " + std::to_string(size),
          channels == 1
              ? "a scale a channel: a tap of a depthwise convolution has one input channel"
              : "a divisor of its " + std::to_string(channels) + " input channels: groups run within a tap",
          "give the layer another size, or per_channel"};
}

}  // namespace

std::int64_t group_size_of(const Shape& weights, std::int64_t size) {
  const std::int64_t channels = weights.back();
  if (channels == 1 || element_count(weights) / weights.front() <= size) return 0;
  for (std::int64_t divisor = std::min(size, channels); 2 * divisor >= size; --divisor) {
    if (channels % divisor == 0) return divisor;
  }
  return 0;
}

std::vector<Problem> group_problems(const Graph& graph, const Scheme& scheme) {
  std::vector<Problem> problems;
  std::set<std::int64_t> numbers;  // of the channels of layers that take the network's size
  bool divides_any = false;
  for (const Node& node : graph.nodes) {
    const std::int64_t size = scheme.weights_of(node.name).group_size;
    if (!definition(node.op).has_weights && asks_for_groups(node, scheme)) {
      problems.push_back({scheme.source, "layers." + node.name, "groups of " + std::to_string(size),
                          "a layer with weights", "leave out what the layer says of weights"});
    }
    if (!wants_groups(node, scheme)) continue;
    const std::int64_t channels = graph.tensor(node.inputs[1]).shape.back();
    const bool divides = channels > 1 && channels % size == 0;
    if (asks_for_groups(node, scheme)) {
      if (!divides) problems.push_back(problem_of_layer(node, size, channels, scheme));
    } else {
      numbers.insert(channels);
      divides_any = divides_any || divides;
    }
  }
  if (numbers.empty() || divides_any) return problems;
  problems.push_back({scheme.source, "weights",
                      "per_group(" + std::to_string(scheme.weights.group_size) + ")",
                      "a divisor of the input channels of a layer at least; the layers of " + graph.source +
                          " have " + list_of(numbers),
                      "take such a divisor, as in weights=per_group(" + std::to_string(*numbers.rbegin()) +
                          "), or weights=per_channel"});
  return problems;
}

std::string group_note(const Graph& graph, const Scheme& scheme) {
  std::map<std::int64_t, int> layers;  // by size; 0: a scale a channel
  for (const Node& node : graph.nodes) {
    if (!wants_groups(node, scheme) || asks_for_groups(node, scheme)) continue;
    const auto& weights = graph.tensor(node.inputs[1]).quantization;
    if (weights) ++layers[weights->group_size];
  }
  const std::int64_t size = scheme.weights.group_size;
  if (layers.empty() || (layers.size() == 1 && layers.contains(size))) return "";
  std::string text = "groups of " + std::to_string(size) + " in " + layers_text(layers[size]);
  std::string others;
  for (const auto& [other, count] : layers) {
    if (other == size || other == 0) continue;
    others += (others.empty() ? "; of " : ", of ") + std::to_string(other) + " in " + std::to_string(count);
  }
  if (!others.empty()) text += others + " whose channels " + std::to_string(size) + " does not divide";
  if (layers.contains(0)) {
    text += "; a scale a channel in " + std::to_string(layers[0]) + ": a channel has at most " +
            std::to_string(size) + " weights, or nothing from " + std::to_string((size + 1) / 2) + " to " +
            std::to_string(size) + " divides a tap's channels";
  }
  return text;
}

}  // namespace qsim
