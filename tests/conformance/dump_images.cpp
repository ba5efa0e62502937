// Decodes and preprocesses images for the conformance tests, which compare the arrays with Pillow's.
//
// Reads commands from standard input, one a line, fields separated by tabs, and answers each with a line:
// "ok", or "error" and the message (its line ends as " | ").
//   decode FILE OUT.npy                                    pixels, uint8 [height, width, channels]
//   tensor FILE PREPROCESS SHAPE TYPE SCALE ZERO_POINT OUT.npy
//          PREPROCESS a file or "-"; SHAPE "1,224,224,3"; TYPE i8 u8 i16 f32; SCALE 0 means no quantization
//   dataset SPEC INDEX OUT.npy                             answers "ok SIZE LABEL_COUNT LABEL NAME"
//   preprocess FILE                                        reads it only
#include <algorithm>
#include <cstdint>
#include <iostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random_access_file.h"
#include "workloads/dataset/dataset.h"
#include "workloads/dataset/decode_image.h"
#include "workloads/dataset/preprocess.h"
#include "workloads/formats/npy.h"

namespace {

using Fields = std::vector<std::string>;

Fields split(const std::string& text, char separator) {
  Fields fields;
  std::istringstream stream(text);
  for (std::string field; std::getline(stream, field, separator);) fields.push_back(field);
  return fields;
}

qsim::Image decode(const std::string& path) {
  const qsim::RandomAccessFile file(path, "an image");
  return qsim::decode_image(file.read_all(std::int64_t{1} << 28), path);
}

void write_image(const qsim::Image& image, const std::string& path) {
  qsim::TensorData data(qsim::ElementType::u8, {image.height, image.width, image.channels});
  std::copy(image.pixels.begin(), image.pixels.end(), data.as<std::uint8_t>().begin());
  qsim::write_npy(path, data);
}

qsim::Tensor make_input(const std::string& shape, const std::string& type, float scale,
                        std::int32_t zero_point) {
  qsim::Tensor input;
  input.name = "x";
  for (const std::string& dimension : split(shape, ',')) input.shape.push_back(std::stoll(dimension));
  input.type = type == "f32"   ? qsim::ElementType::f32
               : type == "i16" ? qsim::ElementType::i16
               : type == "u8"  ? qsim::ElementType::u8
                               : qsim::ElementType::i8;
  if (scale == 0.0F) return input;
  input.quantization.emplace();
  input.quantization->bits = type == "i16" ? 16 : 8;
  input.quantization->is_signed = type != "u8";
  input.quantization->scales = {scale};
  input.quantization->zero_points = {zero_point};
  return input;
}

std::string run(const Fields& f) {
  if (f.at(0) == "decode") {
    write_image(decode(f.at(1)), f.at(2));
  } else if (f.at(0) == "tensor") {
    const qsim::Preprocess preprocess =
        f.at(2) == "-" ? qsim::Preprocess() : qsim::read_preprocess(f.at(2), {});
    const qsim::Tensor input = make_input(f.at(3), f.at(4), std::stof(f.at(5)), std::stoi(f.at(6)));
    qsim::write_npy(f.at(7), qsim::preprocess_image(decode(f.at(1)), preprocess, input, f.at(1)));
  } else if (f.at(0) == "dataset") {
    const auto data = qsim::open_dataset(f.at(1));
    const std::int64_t index = std::stoll(f.at(2));
    write_image(data->image(index), f.at(3));
    return "ok\t" + std::to_string(data->size()) + "\t" + std::to_string(data->label_count()) + "\t" +
           std::to_string(data->label(index)) + "\t" + data->name(index);
  } else if (f.at(0) == "preprocess") {
    (void)qsim::read_preprocess(f.at(1), {});
  } else {
    throw std::invalid_argument("no such command: " + f.at(0));
  }
  return "ok";
}

std::string one_line(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, " | ");
  return text;
}

}  // namespace

int main() {
  try {
    for (std::string line; std::getline(std::cin, line);) {
      try {
        std::cout << run(split(line, '\t')) << std::endl;
      } catch (const qsim::InputError& error) {
        std::cout << "error\t" << one_line(error.what()) << std::endl;
      }
    }
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
