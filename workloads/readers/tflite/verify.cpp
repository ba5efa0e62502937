#include "workloads/readers/tflite/verify.h"

#include <flatbuffers/minireflect.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/error.h"

namespace qsim::tflite {
namespace {

using flatbuffers::Table;
using flatbuffers::TypeTable;
using flatbuffers::uoffset_t;
using flatbuffers::Verifier;
using flatbuffers::voffset_t;

constexpr uoffset_t kMaxDepth = 16;
constexpr uoffset_t kMaxTables = 1'000'000;
constexpr std::size_t kIdentifierPosition = sizeof(uoffset_t);

/// What the verifier rejects: where in the model, and where in the file.
struct Rejected {
  std::string place;
  std::size_t byte = 0;
};

/// The verifier says no more than yes or no. This walks down the same tables by flatc's reflection of the
/// schema, one field after the other with the verifier's own checks, to the first that fails.
class FaultFinder {
 public:
  explicit FaultFinder(std::span<const std::byte> bytes)
      : bytes_(reinterpret_cast<const std::uint8_t*>(bytes.data())),
        verifier_(bytes_, bytes.size(), kMaxDepth, kMaxTables),
        size_(bytes.size()) {}

  Rejected find() {
    const std::string place = "the root table";
    if (size_ < sizeof(uoffset_t)) return {place, 0};
    const auto offset = flatbuffers::ReadScalar<uoffset_t>(bytes_);
    if (verifier_.VerifyOffset(0) == 0) return {place, offset};
    check_table(bytes_ + offset, *file::ModelTypeTable(), "");
    return rejected_.value_or(Rejected{place, offset});
  }

 private:
  /// Notes the first place that fails; returns `holds`.
  bool at(const std::string& place, const std::uint8_t* position, bool holds) {
    if (!holds && !rejected_) {
      rejected_ = {place.empty() ? "the root table" : place, static_cast<std::size_t>(position - bytes_)};
    }
    return holds;
  }

  bool check_table(const std::uint8_t* position, const TypeTable& type, const std::string& place) {
    if (!at(place, position, verifier_.VerifyTableStart(position))) return false;
    const auto& table = *reinterpret_cast<const Table*>(position);
    for (std::size_t field = 0; field < type.num_elems; ++field) {
      const std::string name = place.empty() ? type.names[field] : place + "." + type.names[field];
      if (!check_field(table, type, field, name)) return false;
    }
    return verifier_.EndTable();
  }

  bool check_field(const Table& table, const TypeTable& type, std::size_t field, const std::string& place) {
    const flatbuffers::TypeCode& code = type.type_codes[field];
    const auto base_type = static_cast<flatbuffers::ElementaryType>(code.base_type);
    const voffset_t slot = slot_of(field);
    const auto* start = reinterpret_cast<const std::uint8_t*>(&table);
    const bool is_sequence = base_type == flatbuffers::ET_SEQUENCE;
    if (!is_sequence && base_type != flatbuffers::ET_STRING && code.is_repeating == 0)
      return at(place, start, check_scalar(table, slot, flatbuffers::InlineSize(base_type, nullptr)));
    if (!at(place, start, table.VerifyOffset(verifier_, slot))) return false;
    const auto* target = table.GetPointer<const std::uint8_t*>(slot);
    if (target == nullptr) return true;
    if (base_type == flatbuffers::ET_STRING) {
      const auto* string = reinterpret_cast<const flatbuffers::String*>(target);
      return at(place, target, verifier_.VerifyString(string));
    }
    if (code.is_repeating == 0) return check_child(table, type, field, target, place);
    const std::size_t element_bytes =
        is_sequence ? sizeof(uoffset_t) : flatbuffers::InlineSize(base_type, nullptr);
    if (!at(place, target, verifier_.VerifyVectorOrString(target, element_bytes))) return false;
    return !is_sequence || check_tables(target, *type.type_refs[code.sequence_ref](), place);
  }

  bool check_scalar(const Table& table, voffset_t slot, std::size_t bytes) const {
    switch (bytes) {
      case 1:
        return table.VerifyField<std::uint8_t>(verifier_, slot, 1);
      case 4:
        return table.VerifyField<std::uint32_t>(verifier_, slot, 4);
      default:
        return table.VerifyField<std::uint64_t>(verifier_, slot, 8);
    }
  }

  /// A table, or the member of a union that the field before it names; unknown members are not looked into.
  bool check_child(const Table& parent, const TypeTable& type, std::size_t field, const std::uint8_t* target,
                   const std::string& place) {
    const TypeTable* child = type.type_refs[type.type_codes[field].sequence_ref]();
    if (child->st == flatbuffers::ST_UNION) {
      const auto member = std::int64_t{parent.GetField<std::uint8_t>(slot_of(field - 1), 0)};
      const auto* end = child->values + child->num_elems;
      const auto* found = std::find(child->values, end, member);
      if (found == end || member == 0) return true;
      child = child->type_refs[child->type_codes[found - child->values].sequence_ref]();
    }
    return check_table(target, *child, place);
  }

  bool check_tables(const std::uint8_t* vector, const TypeTable& type, const std::string& place) {
    const auto count = flatbuffers::ReadScalar<uoffset_t>(vector);
    const std::uint8_t* element = vector + sizeof(uoffset_t);
    for (uoffset_t i = 0; i < count; ++i, element += sizeof(uoffset_t)) {
      const std::uint8_t* table = element + flatbuffers::ReadScalar<uoffset_t>(element);
      if (!check_table(table, type, place + "[" + std::to_string(i) + "]")) return false;
    }
    return true;
  }

  /// Place of a field's entry in a vtable.
  static voffset_t slot_of(std::size_t field) { return static_cast<voffset_t>(4 + 2 * field); }

  const std::uint8_t* bytes_;
  Verifier verifier_;
  std::size_t size_;
  std::optional<Rejected> rejected_;
};

}  // namespace

const file::Model& verified_model(std::span<const std::byte> bytes, const std::string& path) {
  const std::string hint = "the file is damaged or no TFLite model; copy or convert it again";
  const std::string identifier = file::ModelIdentifier();
  const auto* start = reinterpret_cast<const char*>(bytes.data());
  if (bytes.size() < kIdentifierPosition + identifier.size() ||
      std::string_view(start + kIdentifierPosition, identifier.size()) != identifier) {
    throw InputError({path, "byte " + std::to_string(kIdentifierPosition), "no identifier",
                      "the identifier \"" + identifier + "\"", hint});
  }
  const auto* unsigned_start = reinterpret_cast<const std::uint8_t*>(bytes.data());
  Verifier verifier(unsigned_start, bytes.size(), kMaxDepth, kMaxTables);
  if (!file::VerifyModelBuffer(verifier)) {
    const Rejected rejected = FaultFinder(bytes).find();
    throw InputError({path, rejected.place,
                      "what the FlatBuffers verifier rejects at byte " + std::to_string(rejected.byte),
                      "a table, vector or string that lies in the file's " + std::to_string(bytes.size()) +
                          " bytes, is aligned and ends where it should",
                      hint});
  }
  return *file::GetModel(bytes.data());
}

}  // namespace qsim::tflite
