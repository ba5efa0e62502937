#include <catch2/catch.hpp>

#include "hw_models/waveform.h"

namespace qsim {
namespace {

TEST_CASE("a waveform holds each change once, at its cycle, within its window") {
  Waveform waveform(10, 13);
  const std::size_t bit = waveform.add("unit", "busy", 1);
  const std::size_t word = waveform.add("unit", "value", 4);
  CHECK_FALSE(waveform.covers(9));
  CHECK_FALSE(waveform.covers(13));
  waveform.set(bit, 1);
  waveform.sample(10);
  waveform.set(word, -3);
  waveform.sample(11);
  waveform.sample(12);
  // IEEE 1364-2005, 18.2: declarations, then "#time" and the values that change there.
  CHECK(waveform.text() ==
        "$comment qsim: one time step is one core cycle $end\n$timescale 1 ns $end\n"
        "$scope module unit $end\n$var wire 1 ! busy $end\n$var wire 4 \" value $end\n$upscope $end\n"
        "$enddefinitions $end\n"
        "#10\n1!\nbz \"\n#11\nb1101 \"\n#13\n");
}

}  // namespace
}  // namespace qsim
