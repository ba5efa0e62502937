#include "sim/cli/inputs.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "tests/unit/sim/hardware_files.h"
#include "tests/unit/sim/sample_run.h"
#include "workloads/formats/npy.h"

using qsim::ElementType;
using qsim::TensorData;
using qsim::Values;
using qsim::cli::prepare_inputs;

TEST_CASE("an input from a file has its type and shape, or is refused with the remedy") {
  const ScratchFolder folder;
  const std::string path = folder.path("x.npy");
  const qsim::Graph graph = sample::graph();
  const auto prepare = [&] { return prepare_inputs(graph, {{"", path}}, 1, Values::layer); };

  TensorData good(ElementType::i8, {1, 4, 4, 8});
  good.set(5, -3);
  qsim::write_npy(path, good);
  CHECK(prepare().values.at(0).at(5) == -3);
  CHECK(prepare().origins.at(0).origin == "x.npy");

  qsim::write_npy(path, TensorData(ElementType::i8, {1, 8, 4, 4}));
  CHECK(problems_of([&] { (void)prepare(); }).at(0).expected == "shape 1x4x4x8 of input x");

  qsim::write_npy(path, TensorData(ElementType::u8, {1, 4, 4, 8}));
  CHECK(problems_of([&] { (void)prepare(); }).at(0).hint == "convert the array: array.astype(numpy.int8)");

  TensorData real(ElementType::f32, {1, 4, 4, 8});
  real.as<float>()[0] = 7.4F;
  qsim::write_npy(path, real);
  CHECK(prepare().values.at(0).type == ElementType::i8);
  CHECK(prepare().values.at(0).at(0) == 7);
  real.as<float>()[9] = std::nanf("");
  qsim::write_npy(path, real);
  CHECK(problems_of([&] { (void)prepare(); }).at(0).place == "element 9");
}

TEST_CASE("an input of a model in NCHW is given in NCHW") {
  const ScratchFolder folder;
  qsim::Graph graph = sample::graph();  // x: 1x4x4x8, channels last
  graph.tensors[0].model_axes = {0, 3, 1, 2};
  TensorData nchw(ElementType::i8, {1, 8, 4, 4});
  nchw.set((3 * 4 + 2) * 4 + 1, 77);  // channel 3, row 2, column 1
  qsim::write_npy(folder.path("x.npy"), nchw);
  const auto prepared = prepare_inputs(graph, {{"x", folder.path("x.npy")}}, 1, Values::layer);
  CHECK(prepared.values.at(0).at((2 * 4 + 1) * 8 + 3) == 77);
  CHECK(prepared.origins.at(0).shape == "1x8x4x4");

  qsim::write_npy(folder.path("x.npy"), TensorData(ElementType::i8, {1, 4, 4, 8}));
  CHECK(problems_of([&] {
          (void)prepare_inputs(graph, {{"x", folder.path("x.npy")}}, 1, Values::layer);
        })
            .at(0)
            .expected == "shape 1x8x4x4 of input x");
}

TEST_CASE("seeded values are those of the model's layout, whatever the graph's") {
  qsim::Graph graph = sample::graph();
  graph.tensors[0].shape = {1, 8, 4, 4};
  const TensorData nchw = prepare_inputs(graph, {}, 1, Values::layer).values.at(0);
  graph.tensors[0].shape = {1, 4, 4, 8};
  graph.tensors[0].model_axes = {0, 3, 1, 2};
  const TensorData nhwc = prepare_inputs(graph, {}, 1, Values::layer).values.at(0);
  CHECK(nhwc.at((2 * 4 + 1) * 8 + 3) == nchw.at((3 * 4 + 2) * 4 + 1));
  CHECK(nhwc.at((3 * 4 + 0) * 8 + 7) == nchw.at((7 * 4 + 3) * 4 + 0));
}

TEST_CASE("integers beyond the input's bit width are refused") {
  const ScratchFolder folder;
  qsim::Graph graph = sample::graph();
  graph.tensors[0].quantization->bits = 4;
  TensorData data(ElementType::i8, {1, 4, 4, 8});
  data.set(3, 8);
  qsim::write_npy(folder.path("x.npy"), data);
  const auto problems = problems_of([&] {
    (void)prepare_inputs(graph, {{"x", folder.path("x.npy")}}, 1, Values::layer);
  });
  CHECK(problems.at(0).expected == "a value from -8 to 7 (4 bits)");
}

TEST_CASE("without a file an input is seeded and says so; the seed matters") {
  const qsim::Graph graph = sample::graph();
  const auto first = prepare_inputs(graph, {}, 1, Values::layer);
  CHECK(first.origins.at(0).origin == "seed 1");
  CHECK(first.values.at(0).bytes == prepare_inputs(graph, {}, 1, Values::layer).values.at(0).bytes);
  CHECK(first.values.at(0).bytes != prepare_inputs(graph, {}, 2, Values::layer).values.at(0).bytes);
  CHECK(prepare_inputs(graph, {}, 1, Values::none).values.empty());
}

TEST_CASE("an input that does not exist is named with the nearest one") {
  qsim::Graph graph = sample::graph();
  graph.tensors[0].name = "serving_input";
  const auto problems = problems_of([&] {
    (void)prepare_inputs(graph, {{"serving_inptu", "a.npy"}}, 1, Values::layer);
  });
  CHECK(problems.at(0).hint == "did you mean serving_input?");
}
