// A command line against a table made for the purpose.
#include "sim/cli/parse_arguments.h"

#include <catch2/catch.hpp>

#include "base/error.h"

namespace qsim::cli {
namespace {

struct Options {
  bool flag = false;
  int bits = 8;
  std::int64_t count = -1;
  std::optional<int> limit;
  std::string name = "default";
  std::string colour;
  std::vector<std::string> sets;
  std::vector<std::string> files;
  std::string output;
};

int nothing(const Options& /*options*/, const ShippedFiles& /*files*/) {
  return 0;
}

Command plain() {
  return CommandTable<Options>({.summary = "Does"})
      .add({.name = "name", .kind = ValueKind::text, .value = "NAME", .required = true, .help = "a name"},
           &Options::name)
      .runs(nothing);
}

Command paint() {
  return CommandTable<Options>({.name = "paint", .summary = "Paints"})
      .add({.name = "flag", .short_name = 'f', .help = "a flag"}, &Options::flag)
      .add(
          {.name = "bits", .short_name = 'b', .kind = ValueKind::integer, .value = "N", .min = -4, .max = 16},
          &Options::bits)
      .add({.name = "count", .kind = ValueKind::integer, .value = "N"}, &Options::count)
      .add({.name = "limit", .kind = ValueKind::integer, .value = "N"}, &Options::limit)
      .add({.name = "colour", .kind = ValueKind::choice, .value = "C", .choices = {"red", "green", "blue"}},
           [](Options& options, const std::string& text) { options.colour = "dark " + text; })
      .add({.name = "set", .kind = ValueKind::text, .value = "P=V", .repeatable = true}, &Options::sets)
      .add({.name = "output",
            .kind = ValueKind::output_file,
            .value = "FILE",
            .excludes = {"flag"},
            .excludes_because = "a flag paints nothing"},
           &Options::output)
      .add({.name = "FILE", .kind = ValueKind::input_file, .positional = true, .repeatable = true},
           &Options::files)
      .runs(nothing);
}

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {plain(), paint()};
  return all;
}

CommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "qsim");
  return parse_command_line(commands(), static_cast<int>(words.size()), words.data());
}

Options parsed(const std::vector<const char*>& words) {
  return std::any_cast<Options>(parse(words).options);
}

std::vector<std::string> problems(const std::vector<const char*>& words) {
  std::vector<std::string> lines;
  try {
    (void)parse(words);
  } catch (const InputError& error) {
    for (const Problem& problem : error.problems()) lines.push_back(problem.to_string());
  }
  return lines;
}

}  // namespace

TEST_CASE("what is not given keeps its default") {
  const Options options = parsed({"paint"});
  CHECK_FALSE(options.flag);
  CHECK(options.bits == 8);
  CHECK(options.count == -1);
  CHECK_FALSE(options.limit.has_value());
  CHECK(options.name == "default");
  CHECK(options.sets.empty());
}

TEST_CASE("each value reaches its member") {
  const Options options = parsed({"paint", "-f", "-b", "-4", "--count=9223372036854775807", "--limit", "0",
                                  "--colour", "green", "--set", "a=1", "--set=b=[2,3]", "one", "two"});
  CHECK(options.flag);
  CHECK(options.bits == -4);
  CHECK(options.count == std::numeric_limits<std::int64_t>::max());
  CHECK(options.limit == 0);
  CHECK(options.colour == "dark green");
  CHECK(options.sets == std::vector<std::string>{"a=1", "b=[2,3]"});
  CHECK(options.files == std::vector<std::string>{"one", "two"});
}

TEST_CASE("after two dashes everything is a positional argument") {
  CHECK(parsed({"paint", "a", "--", "-f", "--", "[b]"}).files ==
        std::vector<std::string>{"a", "-f", "--", "[b]"});
  CHECK(problems({"-f", "--name", "x"})[0].starts_with("-f: expected an option"));
  CHECK(problems({"--name", "x", "stray"})[0].starts_with("stray: expected an option"));
}

TEST_CASE("without a command word the first command is meant") {
  CHECK(parse({"--name", "x"}).command == &commands()[0]);
  CHECK(parse({"paint"}).command == &commands()[1]);
}

TEST_CASE("help is shown whatever else is there, and no command runs") {
  const CommandLine line = parse({"paint", "--bits", "99", "--help"});
  CHECK(line.command == nullptr);
  CHECK(line.text.starts_with("Paints."));
}

TEST_CASE("a required option names what is to be given") {
  CHECK(problems({}) ==
        std::vector<std::string>{"--name: got nothing, expected a name; qsim --help lists the options"});
}

TEST_CASE("integers of a row hold both ends of its range and nothing beyond") {
  CHECK(parsed({"paint", "--bits", "16"}).bits == 16);
  for (const char* text : {"17", "-5", "", "1.0", "+1", "1 ", "99999999999999999999"}) {
    CHECK(problems({"paint", "--bits", text}) ==
          std::vector<std::string>{
              std::string("--bits: got \"") + text +
              "\", expected an integer from -4 to 16; qsim paint --help lists the options"});
  }
}

TEST_CASE("a choice is one of the row's, and a near miss names it") {
  CHECK(problems({"paint", "--colour", "gren"}) ==
        std::vector<std::string>{"--colour: got \"gren\", expected red, green or blue; did you mean green?"});
}

TEST_CASE("options that exclude each other are refused with the reason") {
  CHECK(problems({"paint", "--output", "x", "-f"}) ==
        std::vector<std::string>{
            "--output: expected no --flag beside it; a flag paints nothing; drop one of the two"});
}

TEST_CASE("files to be written are told apart, by argument") {
  const CommandLine line = parse({"paint", "--output", "out.json", "in.json"});
  REQUIRE(line.outputs.size() == 1);
  CHECK(line.outputs[0] == std::pair<std::string, std::string>("--output", "out.json"));
}

TEST_CASE("all problems of the arguments come together") {
  CHECK(problems({"paint", "--bits", "x", "--colour", "pink", "--count", "1", "--count", "2", "--colr"})
            .size() == 4);
}

TEST_CASE("an option of another command is unknown") {
  CHECK(problems({"paint", "--name", "x"})[0].starts_with("--name: expected an option of qsim paint"));
}

}  // namespace qsim::cli
