// Files of named tensors in the safetensors format: 8 bytes header length (little-endian), a JSON header,
// data.
//
// Header: {"NAME": {"dtype": "I8", "shape": [..], "data_offsets": [begin, end]}, .., "__metadata__": {..}};
// the offsets count from the end of the header and cover the data without gap or overlap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/json_reader.h"
#include "workloads/graph/tensor.h"

namespace qsim {

struct FileTensor {
  std::string name;
  TensorData data;
};

/// An open file: the header is checked as a whole at once, tensors are read when asked for.
class SafetensorsReader {
 public:
  /// Throws InputError with every problem of the header.
  explicit SafetensorsReader(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] std::vector<std::string> names() const;  ///< In the order of the header.
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] ElementType type(const std::string& name) const;
  [[nodiscard]] const Shape& shape(const std::string& name) const;
  /// Throws InputError when there is no such tensor or the file ends early.
  [[nodiscard]] TensorData read(const std::string& name);

 private:
  struct Entry {
    std::string name;
    ElementType type = ElementType::i8;
    Shape shape;
    std::int64_t begin_bytes = 0, end_bytes = 0;
  };
  [[nodiscard]] const Entry& entry(const std::string& name) const;
  void parse_header(const std::string& header, std::int64_t data_bytes);
  void read_metadata(const nlohmann::ordered_json& json, ProblemList& problems);
  void check_coverage(std::int64_t data_bytes) const;

  std::string path_;
  std::ifstream stream_;
  std::int64_t data_start_bytes_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, std::size_t> index_;
  std::map<std::string, std::string> metadata_;
};

/// The same content always makes the same bytes: tensors are ordered by falling element size (so that each is
/// aligned), then by name; metadata by key. Names are unique (std::invalid_argument otherwise).
[[nodiscard]] std::vector<std::byte> encode_safetensors(std::span<const FileTensor> tensors,
                                                        const std::map<std::string, std::string>& metadata);
void write_safetensors(const std::string& path, std::span<const FileTensor> tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace qsim
