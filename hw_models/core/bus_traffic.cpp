#include "hw_models/core/bus_traffic.h"

#include <algorithm>

namespace qsim {

BusTraffic::BusTraffic(const DramConfig& config, std::int64_t clock_khz)
    : is_shared_(config.write_bandwidth_bytes_per_second == 0) {
  const double cycles_per_second = static_cast<double>(clock_khz) * 1000.0;
  const std::int64_t writes =
      is_shared_ ? config.bandwidth_bytes_per_second : config.write_bandwidth_bytes_per_second;
  bytes_per_cycle_ = {static_cast<double>(writes) / cycles_per_second,
                      static_cast<double>(config.bandwidth_bytes_per_second) / cycles_per_second};
}

void BusTraffic::record(bool is_read, std::int64_t bytes, Cycle done) {
  const double bandwidth = bytes_per_cycle_[is_read ? 1 : 0];
  if (bandwidth <= 0 || bytes == 0) return;
  double& free = end_[is_read ? 1 : 0];
  const double cycles = static_cast<double>(bytes) / bandwidth;
  const double begin = std::max(free, static_cast<double>(done) - cycles);
  free = begin + cycles;
  if (is_shared_) end_.fill(free);
  add(is_read, begin, begin + cycles, static_cast<double>(bytes));
}

void BusTraffic::add(bool is_read, double begin, double end, double bytes) {
  while (end > static_cast<double>(windows_.window_cycles) * static_cast<double>(kMostWindows))
    double_windows();
  const auto length = static_cast<double>(windows_.window_cycles);
  const auto last = std::min(kMostWindows - 1, static_cast<std::size_t>(end / length));
  if (windows_.read_bytes.size() <= last) {
    windows_.read_bytes.resize(last + 1, 0.0);
    windows_.written_bytes.resize(last + 1, 0.0);
  }
  std::vector<double>& counts = is_read ? windows_.read_bytes : windows_.written_bytes;
  double left = bytes;
  for (auto window = static_cast<std::size_t>(begin / length); window < last; ++window) {
    const double window_begin = static_cast<double>(window) * length;
    const double within = std::max(0.0, std::min(end, window_begin + length) - std::max(begin, window_begin));
    const double part = std::min(left, bytes * within / (end - begin));
    counts[window] += part;
    left -= part;
  }
  counts[last] += left;
}

void BusTraffic::double_windows() {
  for (std::vector<double>* counts : {&windows_.read_bytes, &windows_.written_bytes}) {
    const std::size_t pairs = (counts->size() + 1) / 2;
    for (std::size_t i = 0; i < pairs; ++i) {
      (*counts)[i] = (*counts)[2 * i] + (2 * i + 1 < counts->size() ? (*counts)[2 * i + 1] : 0.0);
    }
    counts->resize(pairs);
  }
  windows_.window_cycles *= 2;
}

}  // namespace qsim
