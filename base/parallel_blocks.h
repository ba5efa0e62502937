// Work in blocks that threads take as they come.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <vector>

namespace qsim {

/// Calls `work(block)` for every block of [0, blocks) on up to `threads` threads, this one included. Blocks
/// must not depend on each other. An exception in any block comes out here, after all threads have ended.
template <typename Work>
void for_each_block(std::int64_t blocks, int threads, const Work& work) {
  std::atomic<std::int64_t> next{0};
  const auto take_blocks = [&] {
    for (std::int64_t block = next++; block < blocks; block = next++) work(block);
  };
  std::vector<std::future<void>> helpers;
  const std::int64_t helper_count = std::min<std::int64_t>(threads, blocks) - 1;
  for (std::int64_t i = 0; i < helper_count; ++i) {
    helpers.push_back(std::async(std::launch::async, take_blocks));
  }
  take_blocks();  // A future's destructor waits for its thread.
  for (std::future<void>& helper : helpers) helper.get();
}

}  // namespace qsim
