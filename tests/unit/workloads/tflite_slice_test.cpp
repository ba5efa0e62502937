// STRIDED_SLICE specifications against what numpy selects.
#include "workloads/readers/tflite/slice.h"

#include <catch2/catch.hpp>

using namespace qsim;
using namespace qsim::tflite;

namespace {

using Indices = std::vector<std::int64_t>;

void check_slice(const Shape& input, const SliceSpec& spec, const StridedSliceOp& op, const Shape& output) {
  const ResolvedSlice slice = resolve_slice(input, spec);
  CHECK(slice.problem.empty());
  CHECK(slice.op.begin == op.begin);
  CHECK(slice.op.stride == op.stride);
  CHECK(slice.op.count == op.count);
  CHECK(slice.output_shape == output);
}

}  // namespace

TEST_CASE("indices beyond the end are limited, negative ones count from it") {
  check_slice({5, 6}, {{-3, 2}, {99, -1}, {1, 2}, {}}, {{2, 2}, {1, 2}, {3, 2}}, {3, 2});
}

TEST_CASE("a negative stride runs down to the first element") {
  SliceMasks masks;
  masks.end = 1;
  check_slice({5}, {{-1}, {0}, {-2}, masks}, {{4}, {-2}, {3}}, {3});  // x[::-2]
  check_slice({5}, {{4}, {0}, {-1}, {}}, {{4}, {-1}, {4}}, {4});      // x[4:0:-1]
}

TEST_CASE("masked ends take the whole dimension") {
  SliceMasks masks;
  masks.begin = masks.end = 3;
  check_slice({5, 6}, {{2, 2}, {3, 3}, {1, 2}, masks}, {{0, 0}, {1, 2}, {5, 3}}, {5, 3});
}

TEST_CASE("a shrunk dimension is read at its index and left out") {
  SliceMasks masks;
  masks.shrink_axis = 2;
  check_slice({5, 6}, {{0, -2}, {5, 0}, {1, 1}, masks}, {{0, 4}, {1, 1}, {5, 1}}, {5});
}

TEST_CASE("an ellipsis stands for the dimensions that nothing else takes") {
  SliceMasks masks;
  masks.ellipsis = 2;
  check_slice({2, 3, 4, 5}, {{1, 0, 2}, {2, 0, 4}, {1, 1, 1}, masks},
              {{1, 0, 0, 2}, {1, 1, 1, 1}, {1, 3, 4, 2}}, {1, 3, 4, 2});
}

TEST_CASE("a new axis adds a dimension of 1 and takes none") {
  SliceMasks masks;
  masks.new_axis = 1;
  check_slice({4}, {{0, 1}, {0, 3}, {1, 1}, masks}, {{1}, {1}, {2}}, {1, 2});
}

TEST_CASE("specifications without elements or out of order are problems") {
  SliceMasks two_ellipses;
  two_ellipses.ellipsis = 3;
  const auto [input, spec] = GENERATE_COPY(table<Shape, SliceSpec>({
      {{5}, {{3}, {3}, {1}, {}}},
      {{5}, {{0}, {3}, {0}, {}}},
      {{5}, {{0}, {3}, {-1}, {}}},
      {{5}, {{0, 0}, {1, 1}, {1, 1}, {}}},
      {{5}, {{0}, {1, 2}, {1}, {}}},
      {{2, 2}, {{0, 0}, {0, 0}, {1, 1}, two_ellipses}},
  }));
  CHECK_FALSE(resolve_slice(input, spec).problem.empty());
}
