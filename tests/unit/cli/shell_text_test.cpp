// Words that mean something to a shell or to roff stay words in completions and manual page. The texts of
// real tables are tested with the shells themselves, in tests/cli/.
#include <catch2/catch.hpp>

#include "sim/cli/shell/bash_completion.h"
#include "sim/cli/shell/fish_completion.h"
#include "sim/cli/shell/man_page.h"
#include "sim/cli/shell/zsh_completion.h"

namespace qsim::cli {
namespace {

struct Options {
  std::string value;
};

int nothing(const Options& /*options*/, const ShippedFiles& /*files*/) {
  return 0;
}

/// qsim with one option of the kind, and the command "other".
std::vector<Command> commands(const Option& option) {
  return {CommandTable<Options>({.summary = "Does"}).add(option, &Options::value).runs(nothing),
          CommandTable<Options>({.name = "other", .summary = "Does: [more]"}).runs(nothing)};
}

bool contains(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

const Option kTwisted = {
    .name = "twist", .kind = ValueKind::text, .value = "[X]", .help = R"(it's [a]: "b" \c)"};

}  // namespace

TEST_CASE("zsh: quotes, brackets, colons and backslashes of a description are escaped") {
  const std::string text = zsh_completion(commands(kTwisted));
  CHECK(contains(text, R"x('(--twist)--twist=[it'\''s \[a\]\: "b" \\c]:\[X\]: ')x"));
}

TEST_CASE("fish: quotes and backslashes of a description are escaped") {
  CHECK(contains(fish_completion(commands(kTwisted)), R"x(-l twist -x -d 'it\'s [a]: "b" \\c')x"));
}

TEST_CASE("the manual page: dashes, quotes and backslashes are characters, and no line begins with a macro") {
  Option option = kTwisted;
  option.detail = "...and 'this' ~ ^ -x";
  const std::string text = man_page(commands(option), "1.2.3", "2026-01-31");
  CHECK(text.starts_with(".TH QSIM 1 \"2026-01-31\" \"qsim 1.2.3\""));
  CHECK(contains(text, R"x(It\(aqs [a]: \(dqb\(dq \ec. ...and \(aqthis\(aq \(ti \(ha \-x)x"));
  CHECK(contains(text, R"x(\fB\-\-twist\fR \fI[X]\fR)x"));
  option.help = ".so it begins";
  CHECK(contains(man_page(commands(option), "1.2.3", "2026-01-31"), "\n\\&.so it begins"));
}

TEST_CASE("the manual page names every format of networks and its extension") {
  const std::string text = man_page(commands(kTwisted), "1.2.3", "2026-01-31");
  const std::string description = text.substr(text.find(".SH DESCRIPTION"));
  for (const char* extension : {"(.json)", "(.onnx)", "(.tflite)", "(.csv)"}) {
    INFO(extension);
    CHECK(contains(description.substr(0, description.find(".SH OPTIONS")), extension));
  }
}

TEST_CASE("each kind of value has its source in each shell") {
  struct Case {
    Option option;
    std::string bash, zsh, fish;
  };
  const std::vector<Case> cases = {
      {{.kind = ValueKind::choice, .value = "V", .choices = {"a", "b"}},
       "_qsim_words a b",
       ":V:(a b)",
       "-a 'a b'"},
      {{.kind = ValueKind::folder, .value = "V"},
       "_qsim_folders",
       ":V:_files -/",
       "__fish_complete_directories"},
      {{.kind = ValueKind::command, .value = "V"}, "_qsim_words other", ":V:(other)", "-a 'other'"},
      {{.kind = ValueKind::input_file, .value = "V"}, "' --it') _qsim_files ;;", ":V:_files'", "-l it -F"},
      {{.kind = ValueKind::output_file, .value = "V", .extensions = {".a", ".b"}},
       "_qsim_files .a .b",
       R"x(_files -g "*(.a|.b)")x",
       "(__qsim_files .a .b)"},
      {{.kind = ValueKind::hardware_field, .value = "V"},
       "_qsim_shipped fields",
       ":V:_qsim_shipped fields",
       "(__qsim_shipped fields"},
      {{.kind = ValueKind::integer, .value = "V"}, "' --it')  ;;", ":V: '", "-l it -x -d"},
  };
  for (Case test : cases) {
    test.option.name = "it";
    INFO(test.bash);
    const std::vector<Command> all = commands(test.option);
    CHECK(contains(bash_completion(all), test.bash));
    CHECK(contains(zsh_completion(all), test.zsh));
    CHECK(contains(fish_completion(all), test.fish));
  }
}

}  // namespace qsim::cli
