#include "workloads/dataset/decode_image.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "workloads/dataset/decode_formats.h"

namespace qsim {
namespace {

constexpr std::array<std::uint8_t, 3> kJpegStart{0xFF, 0xD8, 0xFF};
constexpr std::array<std::uint8_t, 8> kPngStart{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t size>
bool begins_with(std::span<const std::uint8_t> bytes, const std::array<std::uint8_t, size>& start) {
  return bytes.size() >= size && std::equal(start.begin(), start.end(), bytes.begin());
}

std::string pixel_size_text(std::int64_t width, std::int64_t height) {
  return std::to_string(width) + "x" + std::to_string(height) + " pixels";
}

}  // namespace

void fail_decoding(const EncodedImage& encoded, const char* format, const std::string& message) {
  throw InputError(Problem{encoded.name,
                           {},
                           '"' + message + '"',
                           std::string("a ") + format + " that can be decoded",
                           "the file is damaged, cut off, or of a kind that is not read; copy it anew"});
}

void check_size(const EncodedImage& encoded, const char* format, std::int64_t width, std::int64_t height,
                std::int64_t pixels_per_byte) {
  if (width > encoded.max_pixels / height) {
    throw InputError(Problem{encoded.name,
                             {},
                             std::string("a ") + format + " of " + pixel_size_text(width, height),
                             "at most " + std::to_string(encoded.max_pixels) + " pixels",
                             "scale the image down"});
  }
  const auto bytes = static_cast<std::int64_t>(encoded.bytes.size());
  if (width * height / pixels_per_byte > bytes) {
    throw InputError(Problem{encoded.name,
                             {},
                             pixel_size_text(width, height) + " in " + std::to_string(bytes) + " bytes",
                             "at least " + std::to_string(width * height / pixels_per_byte) +
                                 " bytes for a " + format + " of this size",
                             "the file is cut off; copy it anew"});
  }
}

Image decode_image(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t max_pixels) {
  const EncodedImage encoded{bytes, name, max_pixels};
  if (begins_with(bytes, kJpegStart)) return decode_jpeg(encoded);
  if (begins_with(bytes, kPngStart)) return decode_png(encoded);
  throw InputError(Problem{name,
                           {},
                           bytes.empty() ? "an empty file" : "a file of another format",
                           "a JPEG or a PNG",
                           "convert the image"});
}

}  // namespace qsim
