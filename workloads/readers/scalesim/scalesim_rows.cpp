#include "workloads/readers/scalesim/scalesim_rows.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

#include "base/csv.h"
#include "base/printable.h"
#include "base/read_file.h"

namespace qsim {
namespace {

constexpr std::int64_t kMaxTopologyBytes = std::int64_t{1} << 26;
constexpr std::size_t kMaxTopologyRows = 100'000;
constexpr std::int64_t kMaxExtent = std::int64_t{1} << 30;
constexpr std::size_t kGemmNumbers = 3;
constexpr std::size_t kLeastConvolutionNumbers = 7;
constexpr std::size_t kMostConvolutionNumbers = 8;
constexpr const char* kHint = "docs/readers.md describes both forms of a topology file";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Fields without surrounding blanks, and without the empty ones that trailing commas leave.
std::vector<std::string> fields_of(const CsvReader::Record& record) {
  std::vector<std::string> fields;
  for (const std::string& field : record.fields) fields.emplace_back(trimmed(field));
  while (!fields.empty() && fields.back().empty()) fields.pop_back();
  return fields;
}

/// No field behind the name begins with a digit, a sign or a point: "8.5" is a number that is wrong.
bool is_heading(const std::vector<std::string>& fields) {
  return std::none_of(fields.begin() + 1, fields.end(), [](const std::string& field) {
    return !field.empty() && std::string_view("0123456789+-.").find(field.front()) != std::string_view::npos;
  });
}

class RowReader {
 public:
  explicit RowReader(std::string path) : path_(std::move(path)) {}

  ScalesimRow read(const CsvReader::Record& record, const std::vector<std::string>& fields) {
    row_ = {};
    row_.line = record.line;
    row_.form = form_.value_or(ScalesimForm::convolution);
    row_.name = fields.front().empty() ? "layer" + std::to_string(record.line) : valid_utf8(fields.front());
    if (!record.error.empty()) {
      add(record.error, "fields with commas between them");
      return std::move(row_);
    }
    std::span<const std::string> numbers(fields.begin() + 1, fields.end());
    if (!numbers.empty() && numbers.back().find(':') != std::string::npos) {
      read_sparsity(numbers.back());
      numbers = numbers.first(numbers.size() - 1);
    }
    read_numbers(numbers);
    return std::move(row_);
  }

 private:
  void add(const std::string& value, const std::string& expected, const char* hint = kHint) {
    row_.problems.push_back({path_, "line " + std::to_string(row_.line), value, expected, hint});
  }

  void read_sparsity(const std::string& ratio) {
    const std::size_t colon = ratio.find(':');
    const auto kept = integer(trimmed(std::string_view(ratio).substr(0, colon)));
    const auto of = integer(trimmed(std::string_view(ratio).substr(colon + 1)));
    if (kept && of && *kept == *of && *of > 0) return;
    add("sparsity " + ratio, "dense filters, 1:1", "the modelled chip skips no zeros: leave the ratio out");
  }

  void read_numbers(std::span<const std::string> fields) {
    const bool is_gemm = fields.size() == kGemmNumbers;
    const bool is_convolution =
        fields.size() >= kLeastConvolutionNumbers && fields.size() <= kMostConvolutionNumbers;
    const ScalesimForm form = is_gemm ? ScalesimForm::gemm : ScalesimForm::convolution;
    if (!form_ && (is_gemm || is_convolution)) form_ = form;
    row_.form = form_.value_or(form);
    if ((!is_gemm && !is_convolution) || form != form_) {
      add(std::to_string(fields.size()) + " numbers behind the name",
          !form_                         ? "3 (GEMM), or 7 or 8 (convolution)"
          : *form_ == ScalesimForm::gemm ? "3 (M, N, K), as in the rows before"
                                         : "7 or 8, as in the rows before");
      return;
    }
    std::vector<std::int64_t> numbers;
    for (const std::string& field : fields) {
      const auto value = integer(field);
      if (!value || *value < 1 || *value > kMaxExtent)
        add('"' + field + '"', "an integer from 1 to " + std::to_string(kMaxExtent));
      numbers.push_back(value.value_or(1));
    }
    if (row_.problems.empty()) row_.layer = is_gemm ? make_gemm(numbers) : make_convolution(numbers);
  }

  static ScalesimLayer make_gemm(const std::vector<std::int64_t>& numbers) {
    ScalesimLayer layer;
    layer.form = ScalesimForm::gemm;
    layer.ifmap_height = numbers[0];
    layer.filters = numbers[1];
    layer.channels = numbers[2];
    return layer;
  }

  std::optional<ScalesimLayer> make_convolution(const std::vector<std::int64_t>& numbers) {
    ScalesimLayer layer;
    layer.ifmap_height = numbers[0];
    layer.ifmap_width = numbers[1];
    layer.filter_height = numbers[2];
    layer.filter_width = numbers[3];
    layer.channels = numbers[4];
    layer.filters = numbers[5];
    layer.stride_height = numbers[6];
    layer.stride_width = numbers.back();
    layer.is_depthwise = row_.name.find("DP") != std::string::npos;
    const auto check = [&](std::int64_t filter, std::int64_t ifmap, const char* extent) {
      if (filter <= ifmap) return;
      add("filter " + std::string(extent) + " " + std::to_string(filter),
          "at most that of the ifmap, " + std::to_string(ifmap));
    };
    check(layer.filter_height, layer.ifmap_height, "height");
    check(layer.filter_width, layer.ifmap_width, "width");
    if (!row_.problems.empty()) return std::nullopt;
    return layer;
  }

  std::string path_;
  std::optional<ScalesimForm> form_;  ///< Of the first row.
  ScalesimRow row_;
};

}  // namespace

std::vector<ScalesimRow> read_scalesim_rows(const std::string& path) {
  const std::vector<std::byte> content =
      read_file(path, {"a SCALE-Sim topology in CSV", kMaxTopologyBytes, "split it into several files"});
  CsvReader csv({reinterpret_cast<const char*>(content.data()), content.size()});
  RowReader reader(path);
  std::vector<ScalesimRow> rows;
  CsvReader::Record record;
  for (bool is_first = true; csv.next(record);) {
    const std::vector<std::string> fields = fields_of(record);
    if (fields.empty()) continue;
    const bool skips = is_first && record.error.empty() && fields.size() > 1 && is_heading(fields);
    is_first = false;
    if (skips) continue;
    if (rows.size() == kMaxTopologyRows) {
      throw InputError(Problem{path, "line " + std::to_string(record.line), "one more layer",
                               "at most " + std::to_string(kMaxTopologyRows) + " layers", "split the file"});
    }
    rows.push_back(reader.read(record, fields));
  }
  if (rows.empty()) throw InputError(Problem{path, "", "no layers", "a line for each layer", kHint});
  return rows;
}

}  // namespace qsim
