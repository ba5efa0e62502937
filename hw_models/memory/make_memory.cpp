#include "hw_models/memory/make_memory.h"

#include <array>
#include <cstddef>

#include "hw_models/memory/simple_memory.h"

namespace qsim {

namespace {

struct MemoryKind {
  DramKind kind;
  const char* name;
  std::unique_ptr<MemoryModel> (*make)(const DramConfig& config, std::int64_t clock_khz);
};

template <typename Model>
std::unique_ptr<MemoryModel> make(const DramConfig& config, std::int64_t clock_khz) {
  return std::make_unique<Model>(config, clock_khz);
}

/// In the order of DramKind.
constexpr std::array kKinds = {
    MemoryKind{DramKind::simple, "simple", make<SimpleMemory>},
    MemoryKind{DramKind::none, "none",
               [](const DramConfig&, std::int64_t) { return std::unique_ptr<MemoryModel>(); }},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
  }
  return true;
}
static_assert(is_in_order());

}  // namespace

const std::vector<std::string>& memory_kind_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const MemoryKind& kind : kKinds) all.emplace_back(kind.name);
    return all;
  }();
  return names;
}

std::unique_ptr<MemoryModel> make_memory(const DramConfig& config, std::int64_t clock_khz) {
  return kKinds.at(static_cast<std::size_t>(config.kind)).make(config, clock_khz);
}

}  // namespace qsim
