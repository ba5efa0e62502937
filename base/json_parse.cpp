#include <algorithm>
#include <iterator>
#include <set>

#include "base/json_reader.h"
#include "base/read_file.h"

namespace qsim {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 64;
/// Most numbers, words, lists and objects of one text: each takes 16 bytes or more in memory.
constexpr std::size_t kMaxValues = std::size_t{1} << 23;

/// "line 3, column 7" of a byte offset; both count from 1, columns in bytes.
std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

/// Walks over the text and leaves behind how far the parser has read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *furthest_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** furthest_;
};

/// Builds the value; duplicate keys and excessive nesting end the parse with a problem.
class StrictBuilder : public nlohmann::json_sax<Json> {
 public:
  StrictBuilder(std::string_view text, const char** furthest, const std::string& file)
      : text_(text), furthest_(furthest), file_(file) {}

  bool null() override { return place_value(nullptr); }
  bool boolean(bool value) override { return place_value(value); }
  bool number_integer(number_integer_t value) override { return place_value(value); }
  bool number_unsigned(number_unsigned_t value) override { return place_value(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return place_value(value); }
  bool string(string_t& value) override { return place_value(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }

  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (!keys_.back().insert(name).second) {
      return fail(offset() - 1, '"' + name + '"', "each key once in an object", "remove one of the two");
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& error) override {
    const std::string message = error.what();
    const std::size_t expected = message.find("expected ", message.find("; "));
    const std::size_t colon = message.find("': ");
    const std::size_t error_offset = position == 0 ? 0 : position - 1;
    if (expected != std::string::npos) {
      return fail(error_offset, last_token, message.substr(expected + 9));
    }
    return fail(
        error_offset, last_token, "valid JSON",
        colon == std::string::npos ? message.substr(message.find("] ") + 2) : message.substr(colon + 3));
  }

  Json take() { return std::move(root_); }
  [[nodiscard]] const Problem& problem() const { return problem_; }

 private:
  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(*furthest_ - text_.data()); }

  bool fail(std::size_t error_offset, std::string value, std::string expected, std::string hint = {}) {
    problem_ = {file_, line_and_column(text_, error_offset), std::move(value), std::move(expected),
                hint.empty() ? "the file has to be JSON from there on" : std::move(hint)};
    return false;
  }

  Json* place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) {
      return &parent.emplace_back(std::move(value));
    }
    // Not operator[]: the key is known to be new, and a search for it would make long objects quadratic.
    auto& members = parent.get_ref<Json::object_t&>();
    members.Container::emplace_back(key_, std::move(value));
    return &members.back().second;
  }

  template <typename T>
  bool place_value(T&& value) {
    if (!count_value()) return false;
    place(Json(std::forward<T>(value)));
    return true;
  }

  bool count_value() {
    if (++values_ <= kMaxValues) return true;
    return fail(offset() - 1, "more values", "at most " + std::to_string(kMaxValues) + " values",
                "large tensors belong in a safetensors file");
  }

  bool open(Json value) {
    if (open_.size() == kMaxDepth) {
      return fail(offset() - 1, "deeper nesting",
                  "at most " + std::to_string(kMaxDepth) + " levels of nesting",
                  "qsim's files need fewer than ten");
    }
    if (!count_value()) return false;
    open_.push_back(place(std::move(value)));
    keys_.emplace_back();
    return true;
  }

  bool close() {
    open_.pop_back();
    keys_.pop_back();
    return true;
  }

  std::string_view text_;
  const char** furthest_;
  const std::string& file_;
  Json root_;
  std::vector<Json*> open_;
  std::vector<std::set<std::string>> keys_;
  std::string key_;
  std::size_t values_ = 0;
  Problem problem_;
};

}  // namespace

nlohmann::ordered_json parse_json_text(std::string_view text, const std::string& file) {
  const char* furthest = text.data();
  StrictBuilder builder(text, &furthest, file);
  const CountingIterator begin(text.data(), &furthest);
  const CountingIterator end(text.data() + text.size(), &furthest);
  if (!Json::sax_parse(begin, end, &builder)) {
    throw InputError(builder.problem());
  }
  return builder.take();
}

nlohmann::ordered_json parse_json_file(const std::string& path, std::int64_t max_bytes) {
  const std::vector<std::byte> bytes = read_file(
      path, {"a JSON file that can be read", max_bytes, "large tensors belong in a safetensors file"});
  return parse_json_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

}  // namespace qsim
