#include "sim/cli/parse_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "sim/cli/argument_checks.h"
#include "sim/cli/help.h"

namespace qsim::cli {
namespace {

/// A command's options in CLI11's parser: every value as it was written.
class OptionParser {
 public:
  explicit OptionParser(const Command& command) : command_(&command), values_(command.options.size()) {
    app_.set_help_flag("");
    app_.allow_extras();
    for (const Option& option : command.options) {
      if (!option.positional) declare(option);
    }
  }

  /// Throws InputError on values that are missing.
  void parse(int argc, const char* const* argv) {
    check_values_are_there(argc, argv);
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {  // "--batch: 1 required TEXT missing"
      const std::string message = error.what();
      const bool is_missing = message.find("missing") != std::string::npos;
      ArgumentChecks checks(command_->call());
      checks.add(message.substr(0, message.find(':')), is_missing ? "nothing" : message,
                 is_missing ? "a value" : "valid arguments");
      checks.throw_if_any();
    }
    for (const Option& option : command_->options) {
      if (!option.positional) values_[index_of(option)] = app_.get_option(option.written())->results();
    }
    take_positional_arguments();
  }

  /// As written; of a flag CLI11's word for it, once an occurrence.
  [[nodiscard]] const std::vector<std::string>& values(const Option& option) const {
    return values_[index_of(option)];
  }
  [[nodiscard]] bool was_given(const Option& option) const { return !values(option).empty(); }
  [[nodiscard]] bool was_given(const std::string& name) const {
    const std::vector<Option>& options = command_->options;
    return std::any_of(options.begin(), options.end(),
                       [&](const Option& option) { return option.name == name && was_given(option); });
  }
  [[nodiscard]] const std::vector<std::string>& unknown_words() const { return unknown_words_; }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Option& option : command_->options) {
      if (!option.positional) names.push_back(option.written());
    }
    return names;
  }

 private:
  [[nodiscard]] std::size_t index_of(const Option& option) const {
    return static_cast<std::size_t>(&option - command_->options.data());
  }

  void declare(const Option& option) {
    const std::string short_name =
        option.short_name == '\0' ? "" : std::string("-") + option.short_name + ",";
    const std::string names = short_name + option.written();
    if (!option.takes_value()) {
      app_.add_flag(names);
      return;
    }
    // One value an occurrence: without it a repeatable option would swallow what follows.
    app_.add_option(names, [](const CLI::results_t&) { return true; })
        ->expected(1)
        ->allow_extra_args(false)  // otherwise "[a,b]" were a list
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  /// Words without a dash, and all after "--", go to the positional arguments in turn; the last one, where it
  /// is repeatable, takes the rest.
  void take_positional_arguments() {
    bool options_ended = false;
    for (const std::string& word : app_.remaining()) {
      if (word == "--" && !options_ended) {
        options_ended = true;
        continue;
      }
      const auto free =
          std::find_if(command_->options.begin(), command_->options.end(), [&](const Option& option) {
            return option.positional && (option.repeatable || values_[index_of(option)].empty());
          });
      const bool is_option = !options_ended && word.size() > 1 && word[0] == '-';
      if (is_option || free == command_->options.end()) {
        unknown_words_.push_back(word);
      } else {
        values_[index_of(*free)].push_back(word);
      }
    }
  }

  [[nodiscard]] const Option* find(const std::string& word) const {
    for (const Option& option : command_->options) {
      const bool is_short = word.size() == 2 && word[0] == '-' && word[1] == option.short_name;
      if (!option.positional && (word == option.written() || is_short)) return &option;
    }
    return nullptr;
  }

  /// CLI11 takes the next word as the value whatever it is, and "--json=no" as a flag that is set: "--batch
  /// --json" and "--batch=" are values left out, a flag has none.
  void check_values_are_there(int argc, const char* const* argv) const {
    ArgumentChecks checks(command_->call());
    const std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
    for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
      const std::size_t equals = words[i].find('=');
      const Option* option = find(words[i].substr(0, equals));
      if (option == nullptr) continue;
      if (!option->takes_value()) {
        if (equals != std::string::npos)
          checks.add(option->written(), '"' + words[i].substr(equals + 1) + '"', "no value");
      } else if (equals != std::string::npos) {
        if (equals + 1 == words[i].size()) checks.add(option->written(), "nothing", "a value");
      } else if (i + 1 < words.size()) {
        const std::string& value = words[++i];
        if (find(value.substr(0, value.find('='))) != nullptr) {
          checks.add(option->written(), "nothing", "a value");
          --i;
        }
      }
    }
    checks.throw_if_any();
  }

  const Command* command_;
  CLI::App app_;
  std::vector<std::vector<std::string>> values_;  ///< In the order of the table.
  std::vector<std::string> unknown_words_;
};

/// Files that a value may name, whether they are there or not: behind NAME= and FORMAT: as well.
void add_inputs(const Option& option, const std::string& value, CommandLine& line) {
  const bool reads = option.kind == ValueKind::hardware || option.kind == ValueKind::workload ||
                     option.kind == ValueKind::preprocess || option.kind == ValueKind::input_file ||
                     option.reads_data;
  if (!reads) return;
  line.inputs.emplace_back(option.written(), value);
  const std::size_t mark = option.named ? value.find('=') : option.reads_data ? value.find(':') : value.npos;
  if (mark != value.npos) line.inputs.emplace_back(option.written(), value.substr(mark + 1));
}

/// One option's values, into the options struct where they are right.
void store_values(const Option& option, const OptionParser& parser, ArgumentChecks& checks,
                  CommandLine& line) {
  if (!option.takes_value()) {
    if (option.store && parser.was_given(option)) option.store(line.options, "");
    return;
  }
  const std::vector<std::string>& values = parser.values(option);
  if (values.empty() && option.required) checks.required(option);
  if (values.size() > 1 && !option.repeatable) {
    checks.add(option.written(), "more than one value", "the option once");
    return;
  }
  for (const std::string& value : values) {
    if (!checks.value(option, value)) continue;
    option.store(line.options, value);
    if (option.kind == ValueKind::output_file) line.outputs.emplace_back(option.written(), value);
    add_inputs(option, value, line);
  }
}

void check_exclusions(const Command& command, const OptionParser& parser, ArgumentChecks& checks) {
  for (const Option& option : command.options) {
    if (!parser.was_given(option)) continue;
    if (!option.needs.empty() && !parser.was_given(option.needs)) {
      checks.add(option.written(), "", "--" + option.needs + " beside it",
                 "add --" + option.needs + ", or drop it");
    }
    for (const std::string& other : option.excludes) {
      if (!parser.was_given(other)) continue;
      checks.add(option.written(), "", "no --" + other + " beside it",
                 option.excludes_because + "; drop one of the two");
    }
  }
}

CommandLine show(std::string text) {
  CommandLine line;
  line.text = std::move(text);
  return line;
}

}  // namespace

CommandLine parse_command_line(const std::vector<Command>& commands, int argc, const char* const* argv) {
  const auto named = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
    return argc > 1 && !command.words.name.empty() && command.words.name == argv[1];
  });
  const bool has_word = named != commands.end();
  const Command& command = has_word ? *named : commands.front();

  OptionParser parser(command);
  parser.parse(argc - (has_word ? 1 : 0), argv + (has_word ? 1 : 0));
  if (parser.was_given("help")) return show(help_text(command, commands));
  if (parser.was_given("version")) return show("qsim " QSIM_VERSION "\n");

  std::vector<std::string> command_words;
  for (const Command& other : commands) {
    if (!has_word && !other.words.name.empty()) command_words.push_back(other.words.name);
  }
  ArgumentChecks checks(command.call());
  checks.unknown(parser.unknown_words(), parser.names(), command_words);
  CommandLine line;
  line.command = &command;
  line.options = command.make_options();
  for (const Option& option : command.options) store_values(option, parser, checks, line);
  check_exclusions(command, parser, checks);
  checks.throw_if_any();
  return line;
}

}  // namespace qsim::cli
