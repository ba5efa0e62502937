#include "base/csv.h"

namespace qsim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"') result += '"';
    result += c;
  }
  return result + '"';
}

CsvReader::CsvReader(std::string_view text) : text_(text) {
  if (text_.substr(0, kByteOrderMark.size()) == kByteOrderMark) text_.remove_prefix(kByteOrderMark.size());
}

bool CsvReader::at_line_end() const {
  return at_ < text_.size() && (text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n");
}

void CsvReader::skip_line_end() {
  if (at_ >= text_.size()) return;
  at_ += text_[at_] == '\n' ? 1 : 2;
  ++line_;
}

bool CsvReader::next(Record& record) {
  while (at_line_end()) skip_line_end();
  record.line = line_;
  record.fields.clear();
  record.error.clear();
  if (at_ >= text_.size()) return false;
  read_field(record);
  while (at_ < text_.size() && text_[at_] == ',') {
    ++at_;
    read_field(record);
  }
  skip_line_end();
  return true;
}

/// Leaves `at_` at a comma, a line end or the end of the text.
void CsvReader::read_field(Record& record) {
  std::string field;
  if (at_ < text_.size() && text_[at_] == '"') read_quoted(field, record);
  while (at_ < text_.size() && text_[at_] != ',' && !at_line_end()) {
    if (text_[at_] == '"') record.error = "a quote inside a field that is not quoted";
    field += text_[at_++];
  }
  record.fields.push_back(std::move(field));
}

void CsvReader::read_quoted(std::string& field, Record& record) {
  ++at_;
  while (at_ < text_.size()) {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    if (c != '"') {
      field += c;
    } else if (at_ < text_.size() && text_[at_] == '"') {
      field += text_[at_++];
    } else {
      const bool ends = at_ >= text_.size() || text_[at_] == ',' || at_line_end();
      if (!ends) record.error = "text behind a closing quote";
      return;
    }
  }
  record.error = "a quote that is not closed";
}

}  // namespace qsim
