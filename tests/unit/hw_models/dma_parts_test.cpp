// How a transfer becomes requests, where its channel pauses, and which channel goes next.
#include <catch2/catch.hpp>

#include "hw_models/memory/channel_order.h"
#include "hw_models/memory/transfer_requests.h"

namespace qsim {
namespace {

std::vector<TransferRequest> cut(const TransferCommand& command, std::int64_t transaction_bytes) {
  std::vector<TransferRequest> requests;
  cut_transfer(command, transaction_bytes, [&](const TransferRequest& r) { requests.push_back(r); });
  return requests;
}

TEST_CASE("requests end at multiples of the transaction size, and the last one says so") {
  TransferCommand command;
  command.dram_base = 100;
  command.buffer_base = 7;
  command.run_bytes = 200;
  const std::vector<TransferRequest> requests = cut(command, 128);
  REQUIRE(requests.size() == 3);  // 100..128, 128..256, 256..300
  CHECK(requests[0].bytes == 28);
  CHECK(requests[1].dram_address == 128);
  CHECK(requests[1].buffer_address == 7 + 28);
  CHECK(requests[1].bytes == 128);
  CHECK(requests[2].bytes == 44);
  CHECK_FALSE(requests[1].last);
  CHECK(requests[2].last);
}

TEST_CASE("runs follow one another with their strides on both sides") {
  TransferCommand command;
  command.run_bytes = 8;
  command.counts = {1, 2, 2};
  command.dram_strides = {0, 1000, 100};
  command.buffer_strides = {0, 16, 8};
  std::vector<std::pair<std::int64_t, std::int64_t>> addresses;  // of memory and buffer
  for (const TransferRequest& r : cut(command, 4096))
    addresses.emplace_back(r.dram_address, r.buffer_address);
  CHECK(addresses ==
        std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {100, 8}, {1000, 16}, {1100, 24}});
}

TEST_CASE("of blocks of runs only those that are taken move, and what lies side by side moves at once") {
  TransferCommand command;
  command.run_bytes = 8;
  command.counts = {1, 2, 5};
  command.dram_strides = {0, 1000, 8};
  command.buffer_strides = {0, 40, 8};
  command.blocks[2] = {2, 3, 1};  // two of every three, from the second of a pair on: places 0, 2, 3, 5, 6
  std::vector<std::array<std::int64_t, 3>> moved;  // addresses of memory and buffer, bytes
  for (const TransferRequest& r : cut(command, 4096))
    moved.push_back({r.dram_address, r.buffer_address, r.bytes});
  CHECK(moved == std::vector<std::array<std::int64_t, 3>>{
                     {0, 0, 8}, {16, 8, 16}, {40, 24, 16}, {1000, 40, 8}, {1016, 48, 16}, {1040, 64, 16}});
}

TEST_CASE("a transfer that moves nothing is one request of no bytes") {
  const std::vector<TransferRequest> requests = cut(TransferCommand{}, 64);
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].bytes == 0);
  CHECK(requests[0].last);
}

TEST_CASE("a channel pauses after each line, and in the upper lines after every second transaction") {
  DmaConfig config;
  config.transaction_bytes = 32;
  config.line_gap_cycles = 4;
  config.upper_atom_gap_cycles = 1;
  TransferCommand command;
  command.row_pixels = 4;
  command.pixel_bytes = 4 * 32;  // lines 0 to 3
  std::vector<std::int64_t> pauses;
  for (std::int64_t k = 0; k < 16; ++k) pauses.push_back(pause_after(config, command, k));
  CHECK(pauses == std::vector<std::int64_t>{0, 0, 0, 4, 0, 0, 0, 4, 0, 1, 0, 4, 0, 1, 0, 4});
  command.row_pixels = 0;  // not activations
  CHECK(pause_after(config, command, 3) == 0);
}

using Rows = std::array<std::optional<std::int32_t>, kDmaChannels>;

TEST_CASE("of the requests that are there the earliest layer goes first, then each channel in turn") {
  ChannelChoice choice(nullptr, nullptr);
  CHECK_FALSE(choice.next(Rows{}));
  CHECK(choice.next(Rows{2, 1, {}}) == 1);
  CHECK(choice.next(Rows{1, 1, 1}) == 0);
  choice.serve(0);
  CHECK(choice.next(Rows{1, 1, 1}) == 1);
  choice.serve(1);
  CHECK(choice.next(Rows{1, 1, {}}) == 0);
  CHECK(choice.next(Rows{0, 0, 1}) == 0);
}

TEST_CASE("with a fixed order the port waits for the channel whose turn it is") {
  const RequestOrder order = {2, 0};
  RequestOrder recorded;
  ChannelChoice choice(&order, &recorded);
  CHECK_FALSE(choice.next(Rows{1, 1, {}}));
  CHECK(choice.next(Rows{1, 1, 5}) == 2);
  choice.serve(2);
  CHECK(choice.next(Rows{1, 1, 5}) == 0);
  CHECK(recorded == RequestOrder{2});
}

}  // namespace
}  // namespace qsim
