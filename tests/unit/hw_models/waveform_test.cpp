#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <string>

#include "hw_models/waveform.h"

namespace qsim {
namespace {

TEST_CASE("a waveform holds each change once, at its cycle, within its window") {
  std::string text;
  Waveform waveform(10, 13, [&](std::string_view piece) { text += piece; });
  const std::size_t bit = waveform.add("unit", "busy", 1);
  const std::size_t word = waveform.add("unit", "value", 4);
  CHECK_FALSE(waveform.covers(9));
  CHECK_FALSE(waveform.covers(13));
  waveform.set(bit, 1);
  waveform.sample(10);
  waveform.set(word, -3);
  waveform.sample(11);
  waveform.sample(12);
  waveform.finish();
  // IEEE 1364-2005, 18.2: declarations, then "#time" and the values that change there.
  CHECK(text ==
        "$comment qsim: one time step is one core cycle $end\n$timescale 1 ns $end\n"
        "$scope module unit $end\n$var wire 1 ! busy $end\n$var wire 4 \" value $end\n$upscope $end\n"
        "$enddefinitions $end\n"
        "#10\n1!\nbz \"\n#11\nb1101 \"\n#13\n");
}

TEST_CASE("a long waveform is written piece by piece, and what fails to write ends it") {
  constexpr Cycle kCycles = 100'000;
  std::size_t largest = 0, pieces = 0;
  Waveform waveform(0, kCycles, [&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    ++pieces;
  });
  const std::size_t word = waveform.add("unit", "value", 32);
  for (Cycle cycle = 0; cycle < kCycles; ++cycle) {
    waveform.set(word, cycle);
    waveform.sample(cycle);
  }
  waveform.finish();
  CHECK(pieces > 1);
  CHECK(largest < 300'000);

  Waveform full(0, kCycles, [](std::string_view) { throw std::runtime_error("full"); });
  CHECK_THROWS(full.finish());
}

}  // namespace
}  // namespace qsim
