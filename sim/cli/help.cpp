#include "sim/cli/help.h"

namespace qsim::cli {

const char* const kRunHelp =
    R"(Runs a quantized network on a modelled NPU: values, cycles, energy, data movement.

usage: qsim --workload FILE|NAME [options]
       qsim list                        configurations and workloads that ship

  --hw FILE|NAME              hardware configuration (default: npu)
  --workload FILE|NAME        network: workload JSON or .tflite
  --input [NAME=]FILE.npy     value of an input, repeatable; without it a seeded one
  --seed N                    of the seeded inputs (default: 1)
  --batch N                   N inputs as one batch (default: 1)
  --inferences N              N inferences in sequence (default: 1)
  --set PATH=VALUE            hardware field, repeatable: --set mac_array.rows=64
  --weight-bits N             all weights at N bits, 1 to 16
  --activation-bits N         all activations at N bits, 1 to 16
  --bits FILE.json            bits by node: {"conv1": {"weights": 4, "activations": 8}}
  --values layer|tile         values by layer, or read from the modelled memory (default: layer)
  --cost-only                 no values: the same cycles, energy and traffic
  --until NODE                stop after this node
  --threads N                 of the value computation (default: one a processor)

  --report FILE.json          the whole report
  --layers FILE.csv           its rows
  --outputs FILE.safetensors  the network's outputs
  --dump-tensors FILE.safetensors  every activation tensor
  --json                      the report on standard output instead of the table
  --quiet                     no table

  -h, --help                  this text
  --version                   version of qsim

exit code: 0 success, 1 accumulators trapped, 2 bad input, 70 internal error, 130 interrupted
example: qsim --hw npu --workload resnet8 --set dram.bandwidth_gb_per_s=6.4 --report resnet8.json
)";

const char* const kListHelp =
    R"(Lists the hardware configurations, energy tables and workloads that ship, by the names to give.

usage: qsim list [--json]

  --json      {"hardware": [{"name", "description"}, ..], "energy": [..], "workloads": [..]}
  -h, --help  this text

QSIM_PATH adds folders (separated by ':') that hold configs/ and workloads/models/.
example: qsim list
)";

}  // namespace qsim::cli
