#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>

#include "base/atomic_file.h"
#include "workloads/formats/safetensors.h"

namespace qsim {
namespace {

std::vector<const FileTensor*> in_file_order(std::span<const FileTensor> tensors) {
  std::vector<const FileTensor*> sorted;
  for (const FileTensor& tensor : tensors) sorted.push_back(&tensor);
  const auto key = [](const FileTensor& t) {
    return std::tuple(-static_cast<std::int64_t>(element_size_bytes(t.data.type)), std::string_view(t.name));
  };
  std::sort(sorted.begin(), sorted.end(),
            [&](const FileTensor* a, const FileTensor* b) { return key(*a) < key(*b); });
  return sorted;
}

std::string encode_header(const std::vector<const FileTensor*>& tensors,
                          const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset_bytes = 0;
  for (const FileTensor* tensor : tensors) {
    if (header.contains(tensor->name)) throw std::invalid_argument("two tensors are called " + tensor->name);
    const std::size_t end_bytes = offset_bytes + tensor->data.bytes.size();
    header[tensor->name] = {{"dtype", element_type_name(tensor->data.type)},
                            {"shape", tensor->data.shape},
                            {"data_offsets", {offset_bytes, end_bytes}}};
    offset_bytes = end_bytes;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // Data begins at a multiple of 8 bytes.
  return text;
}

}  // namespace

std::vector<std::byte> encode_safetensors(std::span<const FileTensor> tensors,
                                          const std::map<std::string, std::string>& metadata) {
  const std::vector<const FileTensor*> sorted = in_file_order(tensors);
  const std::string header = encode_header(sorted, metadata);
  std::vector<std::byte> file(sizeof(std::uint64_t));
  boost::endian::store_little_u64(reinterpret_cast<unsigned char*>(file.data()), header.size());
  const auto header_bytes = std::as_bytes(std::span(header));
  file.insert(file.end(), header_bytes.begin(), header_bytes.end());
  for (const FileTensor* tensor : sorted) {
    file.insert(file.end(), tensor->data.bytes.begin(), tensor->data.bytes.end());
  }
  return file;
}

void write_safetensors(const std::string& path, std::span<const FileTensor> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_file_atomically(path, encode_safetensors(tensors, metadata));
}

}  // namespace qsim
