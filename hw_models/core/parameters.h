// Biases and scales as parameter memory holds them; ParameterFormat (program.h) has the sizes.
//
// A block: [scale record unless per channel] then, channel by channel,
// [preload][weight zero point if asymmetric][scale record if per channel]; with groups, in place of the zero
// point, [multiplier of each group][multiplier * zero point of each group if asymmetric].
// A scale record is 4 bytes (float32 scale or Q0.31 multiplier) and 1 byte (signed shift), or the 8 bytes of
// a float64 scale, or the 16 bytes of a float64 multiplier and offset (affine), or of thresholds 1 byte (1:
// outputs fall while accumulators rise) and their values. Layers in block formats have an exponent of 1 byte
// in place of each multiplier, and one record of 2 bytes, the reference exponent.
#pragma once

#include <bit>
#include <cstdint>

#include "hw_models/arithmetic/requantize.h"
#include "hw_models/arithmetic/thresholds.h"
#include "hw_models/core/buffer_storage.h"
#include "hw_models/program.h"

namespace qsim {

/// Reads the parameters of one column block from the weight buffer.
class ParameterReader {
 public:
  ParameterReader(const BufferStorage& buffer, const GemmNest& nest, std::int64_t block_address,
                  std::int64_t first_channel)
      : buffer_(buffer), nest_(nest), address_(block_address), first_channel_(first_channel) {}

  [[nodiscard]] std::int64_t preload(std::int64_t channel) const {
    return buffer_.read(8 * channel_address(channel), {8 * nest_.problem().parameters.preload_bytes, true});
  }
  [[nodiscard]] std::int64_t weight_zero_point(std::int64_t channel) const {
    return buffer_.read(8 * (channel_address(channel) + nest_.problem().parameters.preload_bytes),
                        {32, true});
  }
  /// Of a group of the channel's reduction, counted in its order.
  [[nodiscard]] std::int64_t group_multiplier(std::int64_t channel, std::int64_t group) const {
    const ParameterFormat& format = nest_.problem().parameters;
    return buffer_.read(
        8 * (channel_address(channel) + format.preload_bytes + group * format.multiplier_bytes),
        {8 * format.multiplier_bytes, false});
  }
  /// In block formats there is an exponent in its place.
  [[nodiscard]] int block_exponent(std::int64_t channel, std::int64_t block) const {
    const ParameterFormat& format = nest_.problem().parameters;
    return static_cast<int>(
        buffer_.read(8 * (channel_address(channel) + format.preload_bytes + block), {8, true}));
  }
  /// Of a layer in block formats, in place of the scale record.
  [[nodiscard]] int block_reference() const {
    return static_cast<int>(buffer_.read(8 * address_, {16, true}));
  }
  /// multiplier * zero point, of asymmetric weights.
  [[nodiscard]] std::int64_t group_correction(std::int64_t channel, std::int64_t group) const {
    const ParameterFormat& format = nest_.problem().parameters;
    const std::int64_t multipliers = format.groups * format.multiplier_bytes;
    return buffer_.read(8 * (channel_address(channel) + format.preload_bytes + multipliers + 4 * group),
                        {32, true});
  }
  [[nodiscard]] arithmetic::ChannelScale scale(std::int64_t channel) const {
    const std::int64_t address = record_address(channel);
    arithmetic::ChannelScale scale;
    if (nest_.problem().rounding_profile == arithmetic::RoundingProfile::affine) {
      scale.scale64 = std::bit_cast<double>(buffer_.read(8 * address, {64, true}));
      scale.offset64 = std::bit_cast<double>(buffer_.read(8 * (address + 8), {64, true}));
      return scale;
    }
    if (nest_.problem().rounding_profile == arithmetic::RoundingProfile::float64) {
      scale.scale64 = std::bit_cast<double>(buffer_.read(8 * address, {64, true}));
      return scale;
    }
    const auto word = static_cast<std::int32_t>(buffer_.read(8 * address, {32, true}));
    if (nest_.problem().rounding_profile == arithmetic::RoundingProfile::float32) {
      scale.scale = std::bit_cast<float>(word);
    } else {
      scale.multiplier = word;
    }
    scale.shift = static_cast<std::int32_t>(buffer_.read(8 * (address + 4), {8, true}));
    return scale;
  }

  [[nodiscard]] arithmetic::ChannelThresholds thresholds(std::int64_t channel) const {
    const std::int64_t address = record_address(channel);
    const int bits = nest_.problem().threshold_bits();
    arithmetic::ChannelThresholds result;
    result.falls = buffer_.read(8 * address, {8, false}) != 0;
    for (std::int64_t k = 0; k < arithmetic::threshold_count(nest_.problem().output_range); ++k)
      result.values.push_back(buffer_.read(8 * (address + 1) + k * bits, {bits, true}));
    return result;
  }

 private:
  [[nodiscard]] std::int64_t record_address(std::int64_t channel) const {
    const ParameterFormat& format = nest_.problem().parameters;
    return format.per_channel ? channel_address(channel) + format.channel_bytes() - format.scale_bytes
                              : address_;
  }
  [[nodiscard]] std::int64_t channel_address(std::int64_t channel) const {
    return address_ + nest_.problem().parameters.header_bytes() +
           (channel - first_channel_) * nest_.problem().parameters.channel_bytes();
  }

  const BufferStorage& buffer_;
  const GemmNest& nest_;
  std::int64_t address_;
  std::int64_t first_channel_;
};

}  // namespace qsim
