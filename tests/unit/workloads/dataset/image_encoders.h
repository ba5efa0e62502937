// JPEG and PNG files of a test, made by libjpeg and libpng.
#pragma once

#include <png.h>

#include <cstdio>  // jpeglib.h uses FILE and size_t without including them
//
#include <jpeglib.h>

#include <cmath>
#include <cstdlib>
#include <span>

#include "tests/unit/workloads/dataset/dataset_files.h"
#include "workloads/dataset/image.h"

/// Waves of other lengths in every channel.
inline qsim::Image waves(std::int64_t width, std::int64_t height, std::int64_t channels) {
  qsim::Image image(width, height, channels);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < channels; ++c) {
        const double wave = std::sin(static_cast<double>(x) / (3.0 + static_cast<double>(c))) +
                            std::cos(static_cast<double>(y * (c + 1)) / 7.0);
        image.row(y)[x * channels + c] = static_cast<std::uint8_t>(std::lround(128.0 + 60.0 * wave));
      }
    }
  }
  return image;
}

enum class Scans { baseline, progressive, one_a_coefficient };

/// The first coefficients of all components, then each other coefficient of each component: 1 + 63 x
/// channels.
inline std::vector<jpeg_scan_info> one_scan_a_coefficient(int channels) {
  jpeg_scan_info first{};
  first.comps_in_scan = channels;
  for (int c = 0; c < channels; ++c) first.component_index[c] = c;
  std::vector<jpeg_scan_info> scans{first};
  for (int c = 0; c < channels; ++c) {
    for (int k = 1; k < 64; ++k) {
      jpeg_scan_info scan{};
      scan.comps_in_scan = 1;
      scan.component_index[0] = c;
      scan.Ss = scan.Se = k;
      scans.push_back(scan);
    }
  }
  return scans;
}

inline Bytes encode_jpeg(const qsim::Image& image, Scans scans = Scans::baseline) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = ::jpeg_std_error(&errors);
  ::jpeg_create_compress(&info);
  unsigned char* content = nullptr;
  unsigned long bytes = 0;
  ::jpeg_mem_dest(&info, &content, &bytes);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = static_cast<int>(image.channels);
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : image.channels == 3 ? JCS_RGB : JCS_CMYK;
  ::jpeg_set_defaults(&info);
  ::jpeg_set_quality(&info, 95, TRUE);
  const std::vector<jpeg_scan_info> script = one_scan_a_coefficient(info.num_components);
  if (scans == Scans::progressive) ::jpeg_simple_progression(&info);
  if (scans == Scans::one_a_coefficient) {
    info.scan_info = script.data();
    info.num_scans = static_cast<int>(script.size());
  }
  ::jpeg_start_compress(&info, TRUE);
  for (std::int64_t y = 0; y < image.height; ++y) {
    auto* row = const_cast<JSAMPROW>(image.row(y));
    ::jpeg_write_scanlines(&info, &row, 1);
  }
  ::jpeg_finish_compress(&info);
  ::jpeg_destroy_compress(&info);
  Bytes file(content, content + bytes);
  std::free(content);
  return file;
}

inline Bytes encode_png(const qsim::Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t bytes = 0;
  ::png_image_write_to_memory(&header, nullptr, &bytes, 0, image.pixels.data(), 0, nullptr);
  Bytes file(bytes);
  ::png_image_write_to_memory(&header, file.data(), &bytes, 0, image.pixels.data(), 0, nullptr);
  file.resize(bytes);
  return file;
}
