// Which layers of a network have a scale a group of weights when a scheme asks for groups of N (white paper,
// section 2.2; docs/groups.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "workloads/graph/graph.h"
#include "workloads/graph/scheme.h"

namespace qsim {

/// Channels of a group of weights [out_channels, .., channels of a tap] where the whole network is asked for
/// groups of `size`; 0: a scale an output channel.
///
/// * An output channel of at most `size` weights is one group: a scale a channel is as fine.
/// * Otherwise the largest divisor of the tap's channels from size / 2 to `size`: no group is larger than
///   asked for, and the array's rows are used at least half as well.
/// * Where there is none a scale a channel, as of depthwise layers.
[[nodiscard]] std::int64_t group_size_of(const Shape& weights, std::int64_t size);

/// What is wrong with the groups that `scheme` asks for: a layer that it names that has no weights, or
/// whose channels the size does not divide; a size that divides the channels of no layer.
[[nodiscard]] std::vector<Problem> group_problems(const Graph& graph, const Scheme& scheme);

/// What became of the groups of a quantized network where layers have other ones than the scheme says; else
/// empty. For the provenance.
[[nodiscard]] std::string group_note(const Graph& graph, const Scheme& scheme);

}  // namespace qsim
