#include "tests/fuzz/small_network.h"

#include "workloads/readers/json/json_workload.h"

qsim::Graph small_network() {
  static const qsim::Graph graph = qsim::read_workload_json_text(R"({
    "name": "small", "semantics": "tflite", "inputs": [{"name": "x", "shape": [1, 4, 4, 3], "scale": 0.5}],
    "layers": [{"op": "conv2d", "name": "y", "input": "x", "weights": {"shape": [5, 3, 3, 3], "scale": 0.1},
                "output": {"scale": 0.5}},
               {"op": "relu", "name": "z", "input": "y"}],
    "outputs": ["z"]})",
                                                                 "small.json");
  return graph;
}
