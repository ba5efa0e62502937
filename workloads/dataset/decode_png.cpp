// PNG through libpng. As with libjpeg, each call is made in a step that the error callback leaves with
// longjmp.
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <utility>
#include <vector>

#include "workloads/dataset/decode_formats.h"

namespace qsim {
namespace {

/// Deflate makes at most 1,032 bytes of one.
constexpr std::int64_t kMaxBitsPerByte = 1032 * 8;
/// A chunk beside the pixels (profiles, texts) needs no more memory than this.
constexpr png_alloc_size_t kMaxChunkBytes = 8 << 20;

class PngReader {
 public:
  explicit PngReader(const EncodedImage& encoded) : encoded_(encoded) {
    png_ = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ == nullptr) fail_decoding(encoded_, "PNG", "libpng is of another version, or out of memory");
    info_ = ::png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { ::png_destroy_read_struct(&png_, &info_, nullptr); }

  /// Checks the size, and chooses the transformations: indices a byte each, grey a byte or two, RGB.
  void read_header() {
    step([&] {
      if (info_ == nullptr) ::png_error(png_, "out of memory");
      ::png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // check_size has its own
      ::png_set_chunk_malloc_max(png_, kMaxChunkBytes);
      ::png_set_read_fn(png_, this, read_bytes);
      ::png_read_info(png_, info_);
    });
    width_ = ::png_get_image_width(png_, info_);
    height_ = ::png_get_image_height(png_, info_);
    const int pixel_bits = ::png_get_bit_depth(png_, info_) * ::png_get_channels(png_, info_);
    check_size(encoded_, "PNG", width_, height_, kMaxBitsPerByte / pixel_bits);
    step([&] {
      const int colors = ::png_get_color_type(png_, info_);
      is_grey_ = (colors & PNG_COLOR_MASK_COLOR) == 0;
      is_palette_ = colors == PNG_COLOR_TYPE_PALETTE;
      is_grey16_ = colors == PNG_COLOR_TYPE_GRAY && ::png_get_bit_depth(png_, info_) == 16;
      ::png_set_packing(png_);
      if (is_grey_) ::png_set_expand_gray_1_2_4_to_8(png_);
      if (!is_grey16_) ::png_set_strip_16(png_);
      ::png_set_strip_alpha(png_);
      passes_ = ::png_set_interlace_handling(png_);
      ::png_read_update_info(png_, info_);
      row_bytes_ = ::png_get_rowbytes(png_, info_);
    });
  }

  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::int64_t height() const { return height_; }
  [[nodiscard]] bool is_grey() const { return is_grey_; }
  [[nodiscard]] bool is_grey16() const { return is_grey16_; }  ///< Rows of big-endian pairs of bytes.
  [[nodiscard]] bool is_palette() const { return is_palette_; }

  std::vector<std::uint8_t> read_rows() {
    std::vector<std::uint8_t> rows(row_bytes_ * static_cast<std::size_t>(height_));
    for (int pass = 0; pass < passes_; ++pass) {
      for (std::size_t y = 0; y < static_cast<std::size_t>(height_); ++y) {
        step([&] { ::png_read_row(png_, &rows[y * row_bytes_], nullptr); });
      }
    }
    step([&] { ::png_read_end(png_, nullptr); });
    return rows;
  }

  /// Colours by index, to be looked up with their number.
  [[nodiscard]] std::pair<const png_color*, std::size_t> palette() {
    png_color* colors = nullptr;
    int count = 0;
    step([&] { ::png_get_PLTE(png_, info_, &colors, &count); });
    return {colors, static_cast<std::size_t>(count)};
  }

 private:
  template <typename Action>
  void step(const Action& action) {
    if (setjmp(jump_) != 0) fail_decoding(encoded_, "PNG", message_.data());
    action();
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto& reader = *static_cast<PngReader*>(::png_get_error_ptr(png));
    std::strncpy(reader.message_.data(), message, reader.message_.size() - 1);
    std::longjmp(reader.jump_, 1);
  }
  /// Warnings are about chunks beside the pixels.
  static void on_warning(png_structp /*png*/, png_const_charp /*message*/) {}
  static void read_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto& reader = *static_cast<PngReader*>(::png_get_io_ptr(png));
    const std::span<const std::uint8_t> left = reader.encoded_.bytes.subspan(reader.offset_);
    if (count > left.size()) ::png_error(png, "the file ends early");
    std::copy_n(left.begin(), count, out);
    reader.offset_ += count;
  }

  const EncodedImage& encoded_;
  std::size_t offset_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  std::size_t row_bytes_ = 0;
  int passes_ = 1;
  bool is_grey_ = false;
  bool is_grey16_ = false;
  bool is_palette_ = false;
  std::jmp_buf jump_{};
  std::array<char, 128> message_{};
};

void look_up(const EncodedImage& encoded, PngReader& reader, const std::vector<std::uint8_t>& indices,
             Image& image) {
  const auto [colors, count] = reader.palette();
  std::uint8_t* out = image.pixels.data();
  for (const std::uint8_t index : indices) {
    if (index >= count) fail_decoding(encoded, "PNG", "a pixel's index is beyond the palette");
    *out++ = colors[index].red;
    *out++ = colors[index].green;
    *out++ = colors[index].blue;
  }
}

void clip_pairs(const std::vector<std::uint8_t>& pairs, Image& image) {
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    image.pixels[i] = pairs[2 * i] == 0 ? pairs[2 * i + 1] : std::uint8_t{255};
  }
}

}  // namespace

Image decode_png(const EncodedImage& encoded) {
  PngReader reader(encoded);
  reader.read_header();
  std::vector<std::uint8_t> rows = reader.read_rows();
  Image image;
  if (reader.is_palette() || reader.is_grey16()) {
    image = Image(reader.width(), reader.height(), reader.is_grey() ? 1 : 3);
    reader.is_palette() ? look_up(encoded, reader, rows, image) : clip_pairs(rows, image);
    return image;
  }
  image.width = reader.width();
  image.height = reader.height();
  image.channels = reader.is_grey() ? 1 : 3;
  image.pixels = std::move(rows);
  return image;
}

}  // namespace qsim
