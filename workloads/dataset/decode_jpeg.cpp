// JPEG through libjpeg (libjpeg-turbo). The library reports errors by a callback that must not return: each
// call into it is made in a step that the callback leaves with longjmp, over frames of C and of lambdas
// without destructors.
#include <csetjmp>
#include <cstdio>  // jpeglib.h uses FILE and size_t without including them
//
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <vector>

#include "workloads/dataset/decode_formats.h"

namespace qsim {
namespace {

/// Huffman codes have at least one bit for the first coefficient of each block of 8 x 8, and sampling factors
/// up to 4 leave at least half a block of some component to each 8 x 8 pixels.
constexpr std::int64_t kPixelsPerByte = 2 * 64 * 8;
/// Of max_pixels: passes over an image of that size in a progressive file. Encoders make about ten.
constexpr std::int64_t kMaxScans = 20;

class JpegReader {
 public:
  explicit JpegReader(const EncodedImage& encoded) : encoded_(encoded) {
    info_.err = ::jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    progress_.progress_monitor = on_progress;
    step([&] { ::jpeg_create_decompress(&info_); });
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { ::jpeg_destroy_decompress(&info_); }

  /// Checks the size and chooses grey, RGB or CMYK by the number of components.
  void read_header() {
    step([&] {
      info_.progress = &progress_;
      // Coefficients of a progressive image: 4 components of 2 bytes, and room for rows.
      info_.mem->max_memory_to_use = static_cast<long>(8 * encoded_.max_pixels + (std::int64_t{1} << 25));
      ::jpeg_mem_src(&info_, encoded_.bytes.data(), encoded_.bytes.size());
      ::jpeg_read_header(&info_, TRUE);
    });
    check_size(encoded_, "JPEG", info_.image_width, info_.image_height,
               info_.arith_code ? encoded_.max_pixels : kPixelsPerByte);
    switch (info_.num_components) {
      case 1:
        info_.out_color_space = JCS_GRAYSCALE;
        break;
      case 3:
        info_.out_color_space = JCS_RGB;
        break;
      case 4:
        info_.out_color_space = JCS_CMYK;
        break;
      default:
        fail_decoding(encoded_, "JPEG", std::to_string(info_.num_components) + " components");
    }
  }

  [[nodiscard]] std::int64_t width() const { return info_.image_width; }
  [[nodiscard]] std::int64_t height() const { return info_.image_height; }
  [[nodiscard]] std::int64_t channels() const { return info_.num_components; }

  void start() {
    step([&] { ::jpeg_start_decompress(&info_); });
  }
  /// Decodes the next row of width x channels bytes.
  void read_row(std::uint8_t* row) {
    step([&] { ::jpeg_read_scanlines(&info_, &row, 1); });
  }
  /// Reads to the end of the image, so that damage in the last bytes shows.
  void finish() {
    step([&] { ::jpeg_finish_decompress(&info_); });
  }

 private:
  template <typename Action>
  void step(const Action& action) {
    if (setjmp(jump_) != 0) fail_decoding(encoded_, "JPEG", message_.data());
    action();
  }

  static JpegReader& reader_of(j_common_ptr info) { return *static_cast<JpegReader*>(info->client_data); }
  static void on_error(j_common_ptr info) {
    JpegReader& reader = reader_of(info);
    reader.errors_.format_message(info, reader.message_.data());
    std::longjmp(reader.jump_, 1);
  }
  /// Level -1 is a warning: pixels that the file does not have were made up.
  static void on_message(j_common_ptr info, int level) {
    if (level < 0) on_error(info);
  }
  static void on_progress(j_common_ptr info) {
    JpegReader& reader = reader_of(info);
    if (reader.info_.input_scan_number <= 1) return;
    const std::int64_t passes = reader.info_.input_scan_number;
    if (passes * reader.width() * reader.height() <= kMaxScans * reader.encoded_.max_pixels) return;
    std::snprintf(reader.message_.data(), reader.message_.size(), "too many scans for an image of this size");
    std::longjmp(reader.jump_, 1);
  }

  const EncodedImage& encoded_;
  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
};

/// round(a * b / 255) for a, b from 0 to 255.
std::uint8_t scaled(std::uint32_t a, std::uint32_t b) {
  const std::uint32_t product = a * b + 128;
  return static_cast<std::uint8_t>(((product >> 8) + product) >> 8);
}

/// Stored values are inverted: 255 is no ink.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::uint8_t* rgb) {
  for (std::size_t i = 0; i < cmyk.size(); i += 4) {
    const std::uint8_t not_black = cmyk[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const auto ink = static_cast<std::uint8_t>(255 - cmyk[i + c]);
      *rgb++ = static_cast<std::uint8_t>(not_black - scaled(ink, not_black));
    }
  }
}

}  // namespace

Image decode_jpeg(const EncodedImage& encoded) {
  JpegReader reader(encoded);
  reader.read_header();
  const bool is_cmyk = reader.channels() == 4;
  Image image(reader.width(), reader.height(), is_cmyk ? 3 : reader.channels());
  std::vector<std::uint8_t> cmyk(is_cmyk ? static_cast<std::size_t>(4 * image.width) : 0);
  reader.start();
  for (std::int64_t y = 0; y < image.height; ++y) {
    reader.read_row(is_cmyk ? cmyk.data() : image.row(y));
    if (is_cmyk) cmyk_to_rgb(cmyk, image.row(y));
  }
  reader.finish();
  return image;
}

}  // namespace qsim
