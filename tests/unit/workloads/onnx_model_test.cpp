#include "workloads/readers/onnx/onnx_model.h"

#include <onnx/onnx_pb.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "base/error.h"
#include "tests/unit/base/scratch_folder.h"
#include "workloads/readers/onnx/wire_check.h"

using namespace qsim;

namespace {

/// Conv with weights in another file, then an operator of another domain.
::onnx::ModelProto small_model() {
  ::onnx::ModelProto model;
  model.set_ir_version(8);
  model.set_producer_name("writer");
  model.set_producer_version("1.2");
  auto* opset = model.add_opset_import();
  opset->set_domain("ai.onnx");
  opset->set_version(13);
  auto* other = model.add_opset_import();
  other->set_domain("custom.ops");
  other->set_version(1);
  auto* graph = model.mutable_graph();
  graph->set_name("net");
  auto* conv = graph->add_node();
  conv->set_name("conv1");
  conv->set_op_type("Conv");
  for (const char* name : {"x", "w", ""}) conv->add_input(name);
  conv->add_output("h");
  auto* attribute = conv->add_attribute();
  attribute->set_name("strides");
  attribute->set_type(::onnx::AttributeProto::INTS);
  attribute->add_ints(2);
  auto* quant = graph->add_node();
  quant->set_op_type("Quant");
  quant->set_domain("custom.ops");
  quant->add_input("h");
  quant->add_output("y");
  auto* weights = graph->add_initializer();
  weights->set_name("w");
  weights->set_data_type(::onnx::TensorProto::FLOAT);
  for (const std::int64_t size : {8, 3, 3, 3}) weights->add_dims(size);
  weights->set_data_location(::onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : {std::pair{"location", "w.bin"}, {"offset", "4096"}, {"length", "864"}}) {
    auto* entry = weights->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  auto* input = graph->add_input();
  input->set_name("x");
  auto* type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(::onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param("batch");
  type->mutable_shape()->add_dim()->set_dim_value(3);
  graph->add_output()->set_name("y");
  return model;
}

std::string write(const ScratchFolder& folder, const std::string& bytes) {
  std::string path = folder.path("net.onnx");
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// With its external data beside it: 4096 bytes of something else, then 216 floats 0, 1, 2, ...
void write_weights(const ScratchFolder& folder) {
  std::ofstream stream(folder.path("w.bin"), std::ios::binary);
  stream << std::string(4096, 'x');
  for (int i = 0; i < 216; ++i) {
    const auto value = static_cast<float>(i);
    stream.write(reinterpret_cast<const char*>(&value), sizeof(value));
  }
}

OnnxModel read(const ::onnx::ModelProto& model) {
  const ScratchFolder folder;
  write_weights(folder);
  return read_onnx_model(write(folder, model.SerializeAsString()));
}

Problem refusal(const std::string& bytes) {
  const ScratchFolder folder;
  write_weights(folder);
  try {
    static_cast<void>(read_onnx_model(write(folder, bytes)));
  } catch (const InputError& error) {
    return error.problems().at(0);
  }
  return {};
}

/// Field `number` of length-delimited type with `content`.
std::string field(int number, const std::string& content) {
  std::string bytes;
  const auto varint = [&](std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes += static_cast<char>(value);
  };
  varint(static_cast<std::uint64_t>(number) * 8 + 2);
  varint(content.size());
  return bytes + content;
}

}  // namespace

TEST_CASE("an ONNX model is read as its nodes, operator sets, inputs, outputs and initializers") {
  const OnnxModel model = read(small_model());
  CHECK(model.ir_version == 8);
  CHECK(model.producer == "writer 1.2");
  CHECK(model.graph_name == "net");
  REQUIRE(model.opsets.size() == 2);
  CHECK((model.opsets[0].domain.empty() && model.opsets[0].version == 13));
  CHECK(model.opsets[1].domain == "custom.ops");
  REQUIRE(model.nodes.size() == 2);
  CHECK(model.nodes[0].name == "conv1");
  CHECK(model.nodes[0].op_type == "Conv");
  CHECK(model.nodes[0].domain.empty());
  CHECK(model.nodes[0].inputs == std::vector<std::string>{"x", "w", ""});
  REQUIRE(model.nodes[0].attributes.size() == 1);
  CHECK(model.nodes[0].attributes[0].name == "strides");
  CHECK(std::get<std::vector<std::int64_t>>(model.nodes[0].attributes[0].value) ==
        std::vector<std::int64_t>{2});
  CHECK(model.nodes[0].place == "graph node 0 Conv \"conv1\"");
  CHECK(model.nodes[1].name == "y");  // Has none of its own: the first output's.
  CHECK(model.nodes[1].domain == "custom.ops");
  REQUIRE(model.inputs.size() == 1);
  CHECK(model.inputs[0].type == OnnxType::float32);
  REQUIRE(model.inputs[0].shape);
  CHECK(std::get<std::string>(model.inputs[0].shape->at(0)) == "batch");
  CHECK(std::get<std::int64_t>(model.inputs[0].shape->at(1)) == 3);
  REQUIRE(model.outputs.size() == 1);
  CHECK_FALSE(model.outputs[0].shape);
  REQUIRE(model.initializers.size() == 1);
  const OnnxTensor& weights = model.initializers[0].tensor;
  CHECK(weights.shape == Shape{8, 3, 3, 3});
  CHECK(weights.get<float>(0) == 0.0F);
  CHECK(weights.get<float>(215) == 215.0F);
}

TEST_CASE("constants are read from the field of their type, packed 4-bit integers widened") {
  ::onnx::ModelProto model = small_model();
  auto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name("t");
  tensor->add_dims(3);
  SECTION("int8 in int32_data") {
    tensor->set_data_type(::onnx::TensorProto::INT8);
    for (const int value : {-128, 0, 127}) tensor->add_int32_data(value);
    const OnnxTensor found = read(model).initializers[1].tensor;
    CHECK((found.integer(0) == -128 && found.integer(1) == 0 && found.integer(2) == 127));
  }
  SECTION("int4, the low half of a byte first") {
    tensor->set_data_type(22);
    tensor->set_raw_data(std::string("\x7F\x08", 2));
    const OnnxTensor found = read(model).initializers[1].tensor;
    CHECK((found.integer(0) == -1 && found.integer(1) == 7 && found.integer(2) == -8));
  }
  SECTION("uint4") {
    tensor->set_data_type(21);
    tensor->set_raw_data(std::string("\x7F\x08", 2));
    const OnnxTensor found = read(model).initializers[1].tensor;
    CHECK((found.integer(0) == 15 && found.integer(1) == 7 && found.integer(2) == 8));
  }
  SECTION("float16: 1, -2, 2^-24") {
    tensor->set_data_type(::onnx::TensorProto::FLOAT16);
    for (const int value : {0x3C00, 0xC000, 0x0001}) tensor->add_int32_data(value);
    const OnnxTensor found = read(model).initializers[1].tensor;
    CHECK((found.real(0) == 1.0 && found.real(1) == -2.0 && found.real(2) == 0x1p-24));
  }
}

TEST_CASE("what is wrong inside an ONNX model is named") {
  using Change = std::function<void(::onnx::ModelProto&)>;
  const auto [words, change] = GENERATE(table<std::string, Change>({
      {"graph: got none", [](auto& m) { m.clear_graph(); }},
      {"graph node 1: got no op_type", [](auto& m) { m.mutable_graph()->mutable_node(1)->clear_op_type(); }},
      {"initializer \"w\": got dimension -3",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(1, -3); }},
      {"external data at \"\"",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(0)->set_key("place");
       }},
      {"external data at \"../w.bin\"",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(0)->set_value("../w.bin");
       }},
      {"external data at \"/etc/passwd\"",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(0)->set_value("/etc/passwd");
       }},
      {"external data \"v.bin\", which cannot be read",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(0)->set_value("v.bin");
       }},
      {"external data \"w.bin\" of 4960 bytes, expected bytes 4097 to 4961",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(1)->set_value("4097");
       }},
      {"863 bytes of data, expected 864 bytes",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(2)->set_value("863");
       }},
      {"initializer \"w\": got shape 8x1073741824x3x3",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(1, 1 << 30); }},
      {"a sparse tensor",
       [](auto& m) { m.mutable_graph()->add_sparse_initializer()->mutable_values()->set_name("s"); }},
      {"external data with offset \"-1\"",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->mutable_external_data(1)->set_value("-1"); }},
      {"external data with length \"8e2\"",
       [](auto& m) {
         m.mutable_graph()->mutable_initializer(0)->mutable_external_data(2)->set_value("8e2");
       }},
  }));
  ::onnx::ModelProto model = small_model();
  change(model);
  CHECK_THAT(refusal(model.SerializeAsString()).to_string(), Catch::Contains(words));
}

TEST_CASE("a damaged ONNX file is refused with the byte and the message where it is damaged") {
  const std::string graph =
      field(1, field(4, "Relu")) + field(1, field(4, "Relu") + field(5, "\x0A\x7Fshort"));
  const Problem problem = refusal(field(7, graph));
  // Model tag and length 2, first node 2 + 6, second node's tag and length 2, its operator 6, attribute's 2.
  CHECK(problem.place == "byte 20 (graph[0].node[1].attribute[0])");
  CHECK(problem.value == "a value of 127 bytes");
  CHECK(problem.expected == "at most the 5 bytes that follow in its message");
}

TEST_CASE("structures that no ONNX model has are refused") {
  std::string nested = field(5, "");
  for (int depth = 0; depth < 40; ++depth) nested = field(5, field(6, field(1, nested)));  // attribute.g.node
  const std::string one_byte_too_few = std::string("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12);
  const auto [bytes, words] = GENERATE_COPY(table<std::string, std::string>({
      {"", "an empty file"},
      {"hello world, this is no model", "byte "},
      {std::string("\x03\x00", 2), "field number 0"},
      {"\x0B", "wire type 3"},
      {std::string("\x38\x01", 2), "got a number, expected the message graph"},
      {"\x08\x80", "a number that ends outside"},
      {one_byte_too_few, "a number of more than 10 bytes"},
      {"\x09\x01", "a value that ends outside its message"},
      {field(7, field(1, nested)), "nested deeper than 64"},
  }));
  CHECK_THAT(refusal(bytes).to_string(), Catch::Contains(words));
}

TEST_CASE("entries without contents cannot make a small file fill the memory") {
  std::string nodes;
  for (int i = 0; i < 1'000'000; ++i) nodes += field(1, "");  // 2 MB; protobuf's objects would take 200 MB.
  CHECK_THAT(refusal(field(7, nodes)).to_string(),
             Catch::Contains("more entries than a model of this size has"));
}

TEST_CASE("an ONNX file cut or changed anywhere is read or refused") {
  const std::string whole = small_model().SerializeAsString();
  std::size_t refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (!refusal(whole.substr(0, size)).value.empty()) ++refused;
  }
  CHECK(refused + 8 >
        whole.size());  // Cut between two fields of the outermost message it is whole but shorter.
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char value : {'\x00', '\x01', '\x7F', '\x80', '\xFF'}) {
      std::string bytes = whole;
      bytes[i] = value;
      static_cast<void>(refusal(bytes));
    }
  }
}

TEST_CASE("what is no file is refused") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH(read_onnx_model(folder.path("none.onnx")), Catch::Contains("No such file"));
  CHECK_THROWS_WITH(read_onnx_model(folder.path("")), Catch::Contains("a folder"));
  CHECK_THROWS_WITH(read_onnx_model("/dev/zero"), Catch::Contains("a device"));
}
