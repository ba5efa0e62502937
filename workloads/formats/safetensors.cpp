#include "workloads/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <boost/endian/conversion.hpp>
#include <limits>

#include "base/checked.h"
#include "base/json_reader.h"
#include "base/read_file.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxHeaderBytes = 100'000'000;  // The format's own limit.
constexpr std::int64_t kMaxInt64 = std::numeric_limits<std::int64_t>::max();
constexpr std::array kTypes{ElementType::i8,  ElementType::u8,  ElementType::i16, ElementType::u16,
                            ElementType::i32, ElementType::i64, ElementType::f32};

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  names.reserve(kTypes.size());
  for (const ElementType type : kTypes) names.emplace_back(element_type_name(type));
  return names;
}

/// shape x element size, or -1 when it does not fit 63 bits.
std::int64_t checked_bytes(const Shape& shape, ElementType type) {
  const auto size = static_cast<std::int64_t>(element_size_bytes(type));
  const std::optional<std::int64_t> elements = checked_product(shape, kMaxInt64 / size);
  return elements ? *elements * size : -1;
}

}  // namespace

SafetensorsReader::SafetensorsReader(const std::string& path) : path_(path) {
  const auto fail = [&](std::string place, std::string value, std::string expected, std::string hint) {
    throw InputError(Problem{path, std::move(place), std::move(value), std::move(expected), std::move(hint)});
  };
  const std::int64_t size_bytes = checked_file_size(path, {"a safetensors file that can be read", kMaxInt64});
  stream_.open(path, std::ios::binary);
  std::array<unsigned char, 8> length{};
  stream_.read(reinterpret_cast<char*>(length.data()), 8);
  if (!stream_) {
    fail("bytes 0 to 7 (header length)", std::to_string(size_bytes) + " bytes", "a file of at least 8 bytes",
         "the file is cut short or not in the safetensors format");
  }
  const std::uint64_t header_bytes = boost::endian::load_little_u64(length.data());
  const std::int64_t longest = std::min<std::int64_t>(size_bytes - 8, kMaxHeaderBytes);
  if (header_bytes > static_cast<std::uint64_t>(longest)) {
    fail("bytes 0 to 7 (header length)", std::to_string(header_bytes), "at most " + std::to_string(longest),
         "the file is cut short or not in the safetensors format");
  }
  std::string header(static_cast<std::size_t>(header_bytes), '\0');
  stream_.read(header.data(), static_cast<std::streamsize>(header_bytes));
  if (!stream_) fail("header", "", "a header that can be read", "has the file changed?");
  data_start_bytes_ = 8 + static_cast<std::int64_t>(header_bytes);
  parse_header(header, size_bytes - data_start_bytes_);
}

void SafetensorsReader::parse_header(const std::string& header, std::int64_t data_bytes) {
  const nlohmann::ordered_json json = parse_json_text(header, path_ + " (header)");
  ProblemList problems(path_, "the file is damaged; write it again");
  const JsonObject root(json, "", problems);
  for (const auto& member : root.json().items()) {
    JsonObject object(member.value(), member.key(), problems);
    if (member.key() == "__metadata__") {
      read_metadata(object.json(), problems);
      continue;
    }
    Entry entry;
    entry.name = member.key();
    entry.type = kTypes[object.choice("dtype", type_names())];
    entry.shape = object.integers("shape", 0, kMaxInt64);
    const std::vector<std::int64_t> offsets = object.integers("data_offsets", 0, data_bytes);
    object.finish();
    const std::int64_t expected_bytes = checked_bytes(entry.shape, entry.type);
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != expected_bytes) {
      object.problem("data_offsets",
                     expected_bytes < 0
                         ? "a shape whose bytes can be counted"
                         : "[begin, end] with end - begin = " + std::to_string(expected_bytes) +
                               " bytes, inside the " + std::to_string(data_bytes) + " bytes of data");
      continue;
    }
    entry.begin_bytes = offsets[0];
    entry.end_bytes = offsets[1];
    index_[entry.name] = entries_.size();
    entries_.push_back(std::move(entry));
  }
  problems.throw_if_any();
  check_coverage(data_bytes);
}

/// Texts by name. Not through JsonObject, which looks each key up from the start.
void SafetensorsReader::read_metadata(const nlohmann::ordered_json& json, ProblemList& problems) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_string()) {
      metadata_[key] = value.get<std::string>();
    } else {
      problems.add("__metadata__." + key, written_value(value), "a string", "write it as text");
    }
  }
}

void SafetensorsReader::check_coverage(std::int64_t data_bytes) const {
  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries_) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return std::pair(a->begin_bytes, a->end_bytes) < std::pair(b->begin_bytes, b->end_bytes);
  });
  ProblemList problems(path_, "the file is damaged; write it again");
  std::int64_t covered_bytes = 0;
  for (const Entry* entry : sorted) {
    if (entry->begin_bytes != covered_bytes) {
      problems.add(entry->name + ".data_offsets", std::to_string(entry->begin_bytes),
                   "to begin at byte " + std::to_string(covered_bytes) + ", where the tensor before it ends",
                   "tensors may neither overlap nor leave gaps");
    }
    covered_bytes = std::max(covered_bytes, entry->end_bytes);
  }
  if (covered_bytes != data_bytes) {
    problems.add("data", std::to_string(data_bytes) + " bytes",
                 std::to_string(covered_bytes) + " bytes, as the header describes");
  }
  problems.throw_if_any();
}

std::vector<std::string> SafetensorsReader::names() const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) names.push_back(entry.name);
  return names;
}

bool SafetensorsReader::has(const std::string& name) const {
  return index_.contains(name);
}

const SafetensorsReader::Entry& SafetensorsReader::entry(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) {
    const std::string nearest = nearest_name(name, names());
    throw InputError(Problem{path_,
                             name,
                             {},
                             "a tensor of this name",
                             nearest.empty() ? "" : "the nearest name in the file is \"" + nearest + "\""});
  }
  return entries_[found->second];
}

ElementType SafetensorsReader::type(const std::string& name) const {
  return entry(name).type;
}
const Shape& SafetensorsReader::shape(const std::string& name) const {
  return entry(name).shape;
}

TensorData SafetensorsReader::read(const std::string& name) {
  const Entry& found = entry(name);
  TensorData data(found.type, found.shape);
  stream_.clear();
  stream_.seekg(data_start_bytes_ + found.begin_bytes);
  stream_.read(reinterpret_cast<char*>(data.bytes.data()), static_cast<std::streamsize>(data.bytes.size()));
  if (!stream_) throw InputError(Problem{path_, name, {}, "data that can be read", "has the file changed?"});
  return data;
}

}  // namespace qsim
