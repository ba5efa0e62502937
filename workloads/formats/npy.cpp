#include "workloads/formats/npy.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <cctype>
#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "base/atomic_file.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/read_file.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxNpyHeaderBytes = 65'536;

struct TypeCode {
  const char* code;
  ElementType type;
};
constexpr std::array<TypeCode, 7> kTypeCodes{{{"|i1", ElementType::i8},
                                              {"|u1", ElementType::u8},
                                              {"<i2", ElementType::i16},
                                              {"<u2", ElementType::u16},
                                              {"<i4", ElementType::i32},
                                              {"<i8", ElementType::i64},
                                              {"<f4", ElementType::f32}}};

[[noreturn]] void fail(const std::string& path, std::string place, std::string value, std::string expected,
                       std::string hint = {}) {
  throw InputError(Problem{path, std::move(place), std::move(value), std::move(expected), std::move(hint)});
}

struct Header {
  std::string descr;
  Shape shape;
};

/// The text of the header: a Python dictionary, padded with spaces, that ends in a newline.
std::string read_header_text(const std::string& path, std::ifstream& stream) {
  std::array<unsigned char, 8> start{};
  stream.read(reinterpret_cast<char*>(start.data()), 8);
  constexpr std::array<unsigned char, 6> kMagic{0x93, 'N', 'U', 'M', 'P', 'Y'};
  if (!stream || !std::equal(kMagic.begin(), kMagic.end(), start.begin())) {
    fail(path, "bytes 0 to 5", "another format", "the mark of a .npy file, \"\\x93NUMPY\"",
         "write the array with numpy.save");
  }
  if (start[6] < 1 || start[6] > 3) {
    fail(path, "byte 6 (format version)", std::to_string(start[6]), "1, 2 or 3",
         "write the array with numpy.save");
  }
  const std::streamsize length_bytes = start[6] == 1 ? 2 : 4;
  std::array<unsigned char, 4> length{};
  stream.read(reinterpret_cast<char*>(length.data()), length_bytes);
  const auto header_bytes = std::int64_t{boost::endian::load_little_u32(length.data())};
  if (!stream || header_bytes > kMaxNpyHeaderBytes) {
    fail(path, "bytes 8 to 11 (header length)", std::to_string(header_bytes),
         "at most " + std::to_string(kMaxNpyHeaderBytes), "the file is cut short or damaged; save it again");
  }
  std::string text(static_cast<std::size_t>(header_bytes), '\0');
  stream.read(text.data(), header_bytes);
  if (!stream) {
    fail(path, "header", "a file that ends in it", std::to_string(header_bytes) + " bytes",
         "the file is cut short; save it again");
  }
  return text;
}

/// Walks over {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 224, 224), } with the keys in any
/// order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : text_(text) {}

  struct Fields {
    std::optional<std::string> descr, fortran_order, shape;
  };
  /// Nothing when the text is not such a dictionary.
  std::optional<Fields> parse() {
    Fields fields;
    if (!accept('{')) return std::nullopt;
    while (!accept('}')) {
      const std::optional<std::string> key = delimited('\'', '\'');
      if (!key || !accept(':')) return std::nullopt;
      if (*key == "descr") fields.descr = delimited('\'', '\'');
      if (*key == "shape") fields.shape = delimited('(', ')');
      if (*key == "fortran_order") fields.fortran_order = word();
      if (!accept(',') && peek() != '}') return std::nullopt;
    }
    const bool whole = peek() == '\0' && fields.descr && fields.fortran_order && fields.shape;
    return whole ? std::optional(fields) : std::nullopt;
  }

 private:
  /// The next character that is no space; '\0' at the end.
  char peek() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  std::optional<std::string> delimited(char open, char close) {
    if (!accept(open)) return std::nullopt;
    const std::size_t end = text_.find(close, at_);
    if (end == std::string_view::npos) return std::nullopt;
    std::string content(text_.substr(at_, end - at_));
    at_ = end + 1;
    return content;
  }
  std::string word() {
    std::string letters;
    while (std::isalpha(static_cast<unsigned char>(peek())) != 0) letters += text_[at_++];
    return letters;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// "1, 3, 224" and "7," and "".
Shape parse_shape(const std::string& path, const std::string& text) {
  Shape shape;
  std::istringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) {
    const std::size_t begin = item.find_first_not_of(' ');
    if (begin == std::string::npos && !shape.empty()) continue;  // What follows the last comma.
    const std::size_t end = item.find_last_not_of(' ') + 1;
    std::int64_t dimension = -1;
    const auto result = begin == std::string::npos
                            ? std::from_chars_result{}
                            : std::from_chars(&item[begin], item.data() + end, dimension);
    const bool is_number =
        begin != std::string::npos && result.ec == std::errc() && result.ptr == item.data() + end;
    shape.push_back(is_number ? dimension : -1);
  }
  // 2^56 elements of 8 bytes still count in 63 bits.
  if (!checked_product(shape, std::int64_t{1} << 56)) {
    fail(path, "shape", "(" + text + ")", "dimensions of 0 or more whose product can be counted",
         "save a smaller array");
  }
  return shape;
}

Header parse_header(const std::string& path, const std::string& text) {
  const std::optional<HeaderParser::Fields> fields = HeaderParser(text).parse();
  const bool known_order = fields && (*fields->fortran_order == "True" || *fields->fortran_order == "False");
  if (!known_order) {
    fail(path, "header", text.substr(0, 120), "a dictionary with 'descr', 'fortran_order' and 'shape'",
         "arrays of records and of objects are not read; save a plain array");
  }
  if (*fields->fortran_order == "True") {
    fail(path, "fortran_order", "True", "False (C order)", "save numpy.ascontiguousarray(array)");
  }
  return {*fields->descr, parse_shape(path, *fields->shape)};
}

std::optional<ElementType> element_type(const std::string& descr) {
  for (const TypeCode& known : kTypeCodes) {
    const bool one_byte = known.code[0] == '|';
    if (descr == known.code || (one_byte && descr.size() == 3 && descr.substr(1) == known.code + 1))
      return known.type;
  }
  return std::nullopt;
}

void read_values(const std::string& path, std::ifstream& stream, std::span<std::byte> bytes) {
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) fail(path, "data", "", "data that can be read", "has the file changed?");
}

TensorData read_doubles(const std::string& path, std::ifstream& stream, const Shape& shape) {
  TensorData data(ElementType::f32, shape);
  std::vector<double> doubles(static_cast<std::size_t>(data.size()));
  read_values(path, stream, std::as_writable_bytes(std::span(doubles)));
  const std::span<float> out = data.as<float>();
  for (std::size_t i = 0; i < doubles.size(); ++i) {
    out[i] = static_cast<float>(doubles[i]);
    if (std::isfinite(doubles[i]) && !std::isfinite(out[i])) {
      fail(path, "element " + std::to_string(i), std::to_string(doubles[i]), "a value that float32 holds",
           "save the array as float32");
    }
  }
  return data;
}

}  // namespace

namespace {

/// An open file behind its header: what it holds, with as many bytes as that takes.
struct OpenArray {
  std::ifstream stream;
  bool is_double = false;
  NpyInfo info;
};

OpenArray open_array(const std::string& path) {
  const std::int64_t file_bytes =
      checked_file_size(path, {"a .npy file that can be read", std::numeric_limits<std::int64_t>::max()});
  OpenArray array{std::ifstream(path, std::ios::binary), false, {}};
  const Header header = parse_header(path, read_header_text(path, array.stream));
  array.is_double = header.descr == "<f8";
  const std::optional<ElementType> type = array.is_double ? ElementType::f32 : element_type(header.descr);
  if (!type) {
    fail(path, "descr", "'" + header.descr + "'",
         "a little-endian type of int8, uint8, int16, uint16, int32, int64, float32, float64",
         "convert it with array.astype before saving");
  }
  array.info = {*type, header.shape};
  const std::int64_t data_bytes = file_bytes - array.stream.tellg();
  const std::int64_t element_bytes =
      array.is_double ? 8 : static_cast<std::int64_t>(element_size_bytes(*type));
  const std::int64_t expected_bytes = element_count(header.shape) * element_bytes;
  if (data_bytes != expected_bytes) {
    fail(path, "data", std::to_string(data_bytes) + " bytes",
         std::to_string(expected_bytes) + " bytes, as the shape says",
         "the file is cut short or longer than it says; save it again");
  }
  return array;
}

}  // namespace

NpyInfo read_npy_info(const std::string& path) {
  return open_array(path).info;
}

TensorData read_npy(const std::string& path) {
  OpenArray array = open_array(path);
  if (element_count(array.info.shape) > kMaxNpyElements) {
    fail(path, "shape", to_string(array.info.shape),
         "at most " + std::to_string(kMaxNpyElements) + " elements", "save a smaller array");
  }
  if (array.is_double) return read_doubles(path, array.stream, array.info.shape);
  TensorData data(array.info.type, array.info.shape);
  read_values(path, array.stream, data.bytes);
  return data;
}

void write_npy(const std::string& path, const TensorData& data) {
  std::string code;
  for (const TypeCode& known : kTypeCodes) {
    if (known.type == data.type) code = known.code;
  }
  std::string shape;
  for (const std::int64_t dimension : data.shape) shape += std::to_string(dimension) + ", ";
  if (data.shape.size() > 1) shape.resize(shape.size() - 2);  // A comma stays behind a single dimension.
  if (data.shape.size() == 1) shape.pop_back();
  std::string header = "{'descr': '" + code + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  constexpr std::size_t kPrefixBytes = 10, kAlignmentBytes = 64;
  const std::size_t unpadded_bytes = kPrefixBytes + header.size() + 1;
  header.append((kAlignmentBytes - unpadded_bytes % kAlignmentBytes) % kAlignmentBytes, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  std::array<unsigned char, 2> length{};
  boost::endian::store_little_u16(length.data(), static_cast<std::uint16_t>(header.size()));
  file += {'\x01', '\x00', static_cast<char>(length[0]), static_cast<char>(length[1])};
  file += header;
  file.append(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
  write_file_atomically(path, file);
}

}  // namespace qsim
