#include "workloads/dataset/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <string>

#include "base/error.h"

namespace qsim {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;  // inflateInit2: largest window, gzip header and checksum

/// inflate() over a file in blocks.
class Inflater {
 public:
  Inflater(const RandomAccessFile& file, std::int64_t max_bytes) : file_(file), max_bytes_(max_bytes) {
    if (::inflateInit2(&stream_, kGzipOnly) != Z_OK) fail("zlib cannot begin");
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  std::vector<std::uint8_t> run() {
    while (refill()) {
      if (inflate_block() == Z_STREAM_END && refill()) ::inflateReset(&stream_);  // another member follows
    }
    if (status_ != Z_STREAM_END) fail("the file ends early");
    return std::move(out_);
  }

 private:
  /// Reads the next block where the last one is used up; false at the end of the file.
  bool refill() {
    if (stream_.avail_in > 0) return true;
    const std::int64_t left = file_.size_bytes() - offset_;
    const auto count =
        static_cast<std::size_t>(std::min<std::int64_t>(left, static_cast<std::int64_t>(in_.size())));
    file_.read(offset_, {in_.data(), count});
    offset_ += static_cast<std::int64_t>(count);
    stream_.next_in = in_.data();
    stream_.avail_in = static_cast<uInt>(count);
    return count > 0;
  }

  int inflate_block() {
    std::array<std::uint8_t, 1 << 16> block{};
    do {
      stream_.next_out = block.data();
      stream_.avail_out = static_cast<uInt>(block.size());
      status_ = ::inflate(&stream_, Z_NO_FLUSH);
      if (status_ != Z_OK && status_ != Z_STREAM_END && status_ != Z_BUF_ERROR) {
        fail(stream_.msg != nullptr ? stream_.msg : "damaged data");
      }
      append({block.data(), block.size() - stream_.avail_out});
    } while (status_ == Z_OK && stream_.avail_out == 0);
    return status_;
  }

  void append(std::span<const std::uint8_t> bytes) {
    if (static_cast<std::int64_t>(out_.size() + bytes.size()) > max_bytes_) {
      throw InputError(Problem{file_.path(),
                               {},
                               "more than " + std::to_string(max_bytes_) + " bytes when decompressed",
                               "at most so many",
                               "decompress it with gunzip and give the result"});
    }
    out_.insert(out_.end(), bytes.begin(), bytes.end());
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw InputError(Problem{file_.path(), "byte " + std::to_string(offset_ - stream_.avail_in),
                             '"' + message + '"', "gzip data that can be decompressed",
                             "the file is damaged or cut off; copy it anew"});
  }

  const RandomAccessFile& file_;
  std::int64_t max_bytes_;
  z_stream stream_{};
  int status_ = Z_OK;
  std::int64_t offset_ = 0;
  std::array<std::uint8_t, 1 << 16> in_{};
  std::vector<std::uint8_t> out_;
};

}  // namespace

bool is_gzip(const RandomAccessFile& file) {
  std::array<std::uint8_t, 2> start{};
  if (file.size_bytes() < 2) return false;
  file.read(0, start);
  return start[0] == 0x1F && start[1] == 0x8B;
}

std::vector<std::uint8_t> gunzip(const RandomAccessFile& file, std::int64_t max_bytes) {
  return Inflater(file, max_bytes).run();
}

}  // namespace qsim
