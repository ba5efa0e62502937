// What follows reading: a graph that a reader let through is compiled and run, as the program would, where
// that is little work.
#pragma once

#include "workloads/graph/graph.h"

/// Compiles and runs `graph` on small chips, by layer and by tile, and checks that both give the same values.
/// Graphs of much work (elements, multiply-accumulates, nodes) are left alone.
void run_if_small(const qsim::Graph& graph);
