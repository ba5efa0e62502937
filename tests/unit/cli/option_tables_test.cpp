// What holds of every row of every command's table.
#include <catch2/catch.hpp>
#include <set>

#include "sim/cli/command_list.h"
#include "sim/cli/help.h"

namespace qsim::cli {

TEST_CASE("every command has a summary, usage and an example, and a name of its own") {
  std::set<std::string> names;
  for (const Command& command : all_commands()) {
    INFO(command.call());
    CHECK(names.insert(command.words.name).second);
    CHECK_FALSE(command.words.summary.empty());
    CHECK(command.words.summary.back() != '.');
    CHECK_FALSE(command.words.usage.empty());
    REQUIRE_FALSE(command.words.examples.empty());
    CHECK(command.words.examples[0].starts_with(command.call()));
    CHECK(command.options.back().name == "help");
  }
  CHECK(all_commands().front().words.name.empty());
}

TEST_CASE("every row is complete and agrees with its kind") {
  for (const Command& command : all_commands()) {
    std::set<std::string> names;
    std::set<char> short_names;
    for (const Option& option : command.options) {
      INFO(command.call() << " " << option.written());
      CHECK(names.insert(option.name).second);
      if (option.short_name != '\0') CHECK(short_names.insert(option.short_name).second);
      CHECK_FALSE(option.help.empty());
      if (option.takes_value()) {
        CHECK(option.store);
        CHECK(option.value.empty() == option.positional);
      } else {
        CHECK(option.value.empty());
        CHECK_FALSE(option.repeatable);
      }
      CHECK(option.choices.empty() == (option.kind != ValueKind::choice));
      CHECK(option.min <= option.max);
      CHECK(option.excludes.empty() == option.excludes_because.empty());
    }
    for (const Option& option : command.options) {
      for (const std::string& other : option.excludes) CHECK(names.count(other) == 1);
      CHECK((option.needs.empty() || names.count(option.needs) == 1));
    }
  }
}

TEST_CASE("both ends of an integer's range reach the options struct") {
  for (const Command& command : all_commands()) {
    for (const Option& option : command.options) {
      if (option.kind != ValueKind::integer) continue;
      INFO(command.call() << " " << option.written());
      std::any options = command.make_options();
      CHECK_NOTHROW(option.store(options, std::to_string(option.min)));
      CHECK_NOTHROW(option.store(options, std::to_string(option.max)));
    }
  }
}

TEST_CASE("help has a line for every option of the table, or one for two that belong together") {
  const std::vector<Command> all = all_commands();
  for (const Command& command : all) {
    const std::string text = help_text(command, all);
    const auto has = [&](const std::string& part) { return text.find(part) != std::string::npos; };
    for (std::size_t i = 0; i < command.options.size(); ++i) {
      const Option& option = command.options[i];
      const bool joins = option.joins_previous;
      const bool is_joined = i + 1 < command.options.size() && command.options[i + 1].joins_previous;
      INFO(command.call() << " " << option.written());
      CHECK(has((joins ? ", " : "\n  ") + option_heading(option) + (is_joined ? ", " : "  ")));
      CHECK(has((joins ? "; " : "  ") + option_help(option) + (is_joined ? "; " : "\n")));
    }
  }
}

}  // namespace qsim::cli
