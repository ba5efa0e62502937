// read_bit_widths, then the widths on a small network, which is compiled and run; schemes, as text and as a
// file.
#include <stdexcept>
#include <string_view>

#include "tests/fuzz/bounded_run.h"
#include "tests/fuzz/expect_input_error.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/small_network.h"
#include "workloads/graph/bit_width.h"
#include "workloads/graph/scheme.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file({data, size});
  accepts([&] {
    qsim::BitWidthOptions options{{}, qsim::read_bit_widths(file.path()), file.path()};
    qsim::Graph graph = small_network();
    qsim::apply_bit_widths(graph, options);
    qsim::validate(graph);
    run_if_small(graph);
  });
  accepts([&] {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const qsim::Scheme& scheme : qsim::parse_scheme_list(text)) {
      const std::string printed = qsim::to_text(scheme);
      if (qsim::to_text(qsim::parse_scheme(printed)) != printed) throw std::logic_error("scheme " + printed);
    }
  });
  accepts([&] { static_cast<void>(qsim::read_scheme(file.path())); });
  return 0;
}
