// How much memory the values of a network take, reckoned before any of it is allocated.
#pragma once

#include <cstdint>

#include "workloads/graph/graph.h"

namespace qsim {

/// What a run may take: values, and what the simulator notes about rows and transfers.
inline constexpr std::int64_t kMaxRunBytes = std::int64_t{1} << 33;

/// Bytes of a constant's data and of what the kernels make of it: weights are kept packed (2 or 4 bytes an
/// element), and 4 bytes an element are needed while the largest of them is packed.
[[nodiscard]] std::int64_t constant_bytes(const Graph& graph);
/// Bytes of activations that are alive at once while the nodes run in their order, with what each node needs
/// besides; of all activations with `keep_all` (a dump).
[[nodiscard]] std::int64_t activation_bytes(const Graph& graph, bool keep_all);

/// Bytes of the lookup tables that compiling makes: 4 bytes an input value, each table in as many copies as
/// the compiler has stages.
[[nodiscard]] std::int64_t table_bytes(const Graph& graph);

/// Throws InputError where `bytes` are more than kMaxRunBytes; `what` says what takes them, `hint` what to
/// do.
void check_run_bytes(const Graph& graph, std::int64_t bytes, const char* what, const char* hint);

/// The hint where values take too much.
inline constexpr const char* kLargeValuesHint =
    "use a smaller --batch or a part of the network (--until), or --cost-only, which computes no values";

}  // namespace qsim
