// A network of two layers, for inputs that are no networks.
#pragma once

#include "workloads/graph/graph.h"

/// conv2d "y" of 1x4x4x3, then relu "z".
qsim::Graph small_network();
