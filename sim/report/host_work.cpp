#include "sim/report/host_work.h"

namespace qsim {

HostWork host_work(const RunResult& result, const std::vector<RowSummary>& rows) {
  HostWork work;
  for (std::size_t i = 0; i < result.layers.size(); ++i) {
    const LayerResult& layer = result.layers[i];
    if (!layer.on_host && !layer.converts_for_host) continue;
    HostShare& share = layer.on_host ? work.operations : work.conversions;
    ++share.rows;
    share.cycles += layer.cycles;
    share.dram_bytes += dram_payload_bytes(rows[i].traffic);
    work.macs += layer.host_macs;
  }
  return work;
}

}  // namespace qsim
