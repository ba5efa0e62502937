#include "sim/cli/prepare_graph.h"

#include "sim/cli/truncate_graph.h"
#include "workloads/batch.h"
#include "workloads/bit_width.h"
#include "workloads/load.h"

namespace qsim::cli {

Graph prepare_graph(const NetworkOptions& options, const ShippedFiles& files) {
  Graph graph = load_workload(options.workload, files.workloads);
  const bool changes_bits = options.weight_bits || options.activation_bits || !options.bits_file.empty();
  if (changes_bits) {
    BitWidthOptions bits{{options.weight_bits, options.activation_bits}, {}, options.bits_file};
    if (!options.bits_file.empty()) bits.nodes = read_bit_widths(options.bits_file);
    apply_bit_widths(graph, bits);
  }
  if (!options.until.empty()) truncate_graph(graph, options.until);
  if (options.batch != 1) set_batch(graph, options.batch);
  validate(graph);
  return graph;
}

}  // namespace qsim::cli
