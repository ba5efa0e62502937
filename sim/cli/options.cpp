#include "sim/cli/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/cli/help.h"
#include "workloads/error.h"
#include "workloads/json_reader.h"

namespace qsim::cli {
namespace {

constexpr const char* kHelpHint = "qsim --help lists the options";

/// Every option as it was written; numbers are read afterwards, all problems together.
struct RawOptions {
  std::string hardware = "npu", workload, seed, batch, inferences, weight_bits, activation_bits, bits_file;
  std::string values, threads, until, report_path, layers_path, outputs_path, dump_path;
  std::vector<std::string> inputs, sets;
  bool cost_only = false, json = false, quiet = false, help = false, version = false;
};

void declare_options(CLI::App& app, RawOptions& raw) {
  app.set_help_flag("");
  app.allow_extras();
  app.add_flag("-h,--help", raw.help);
  app.add_flag("--version", raw.version);
  app.add_option("--hw", raw.hardware);
  app.add_option("--workload", raw.workload);
  // One value an occurrence: without it a repeatable option would swallow what follows.
  app.add_option("--input", raw.inputs)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--set", raw.sets)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--seed", raw.seed);
  app.add_option("--batch", raw.batch);
  app.add_option("--inferences", raw.inferences);
  app.add_option("--weight-bits", raw.weight_bits);
  app.add_option("--activation-bits", raw.activation_bits);
  app.add_option("--bits", raw.bits_file);
  app.add_option("--values", raw.values);
  app.add_flag("--cost-only", raw.cost_only);
  app.add_option("--threads", raw.threads);
  app.add_option("--until", raw.until);
  app.add_option("--report", raw.report_path);
  app.add_option("--layers", raw.layers_path);
  app.add_option("--outputs", raw.outputs_path);
  app.add_option("--dump-tensors", raw.dump_path);
  app.add_flag("--json", raw.json);
  app.add_flag("--quiet", raw.quiet);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// Gathers the problems of the arguments.
class ArgumentChecks {
 public:
  void add(std::string argument, std::string value, std::string expected, std::string hint) {
    problems_.push_back({std::move(argument), "", std::move(value), std::move(expected), std::move(hint)});
  }

  std::int64_t integer(const std::string& argument, const std::string& text, std::int64_t min,
                       std::int64_t max, std::int64_t fallback) {
    if (text.empty()) return fallback;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= min && value <= max)
      return value;
    add(argument, '"' + text + '"', "an integer from " + std::to_string(min) + " to " + std::to_string(max),
        kHelpHint);
    return fallback;
  }

  std::optional<int> bits(const std::string& argument, const std::string& text) {
    if (text.empty()) return std::nullopt;
    return static_cast<int>(integer(argument, text, 1, 16, 8));
  }

  /// Words that are no option: options first; a bare word beside one is most likely its value.
  void unknown(const std::vector<std::string>& words, const std::vector<std::string>& known) {
    const auto is_option = [](const std::string& word) { return word.starts_with("-"); };
    const bool any_option = std::any_of(words.begin(), words.end(), is_option);
    for (const std::string& word : words) {
      if (any_option && !is_option(word)) continue;
      const std::string nearest = nearest_name(word.substr(0, word.find('=')), known);
      add(word, "", "an option or command of qsim",
          nearest.empty() ? std::string(kHelpHint) : "did you mean " + nearest + "?");
    }
  }

  void throw_if_any() const {
    if (!problems_.empty()) throw InputError(problems_);
  }

 private:
  std::vector<Problem> problems_;
};

/// CLI11 takes the next word as the value whatever it is: "--batch --json" is a value left out.
void check_values_are_there(const CLI::App& app, int argc, const char* const* argv) {
  const std::vector<std::string> names = option_names(app);
  const auto is_name = [&](const std::string& word) {
    return std::find(names.begin(), names.end(), word.substr(0, word.find('='))) != names.end();
  };
  ArgumentChecks checks;
  for (int i = 1; i + 1 < argc; ++i) {
    const CLI::Option* option = is_name(argv[i]) ? app.get_option_no_throw(argv[i]) : nullptr;
    const bool takes_value = option != nullptr && option->get_items_expected_max() > 0;
    if (takes_value && is_name(argv[i + 1])) checks.add(argv[i], "nothing", "a value", kHelpHint);
  }
  checks.throw_if_any();
}

/// CLI11 on values that are missing or given twice: "--batch: 1 required TEXT missing".
void parse(CLI::App& app, int argc, const char* const* argv) {
  check_values_are_there(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string message = error.what();
    const auto says = [&](const char* words) { return message.find(words) != std::string::npos; };
    Problem problem{message.substr(0, message.find(':')), "", message, "valid arguments", kHelpHint};
    if (says("missing") || says("At Least")) {
      problem.value = "nothing";
      problem.expected = "a value";
    } else if (says("At Most")) {
      problem.value = "more than one value";
      problem.expected = "the option once";
    }
    throw InputError(std::move(problem));
  }
}

/// "NAME=FILE" or "FILE"; a name that is a path's part ("./a=b.npy") is none.
InputArgument input_argument(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Values values_of(const RawOptions& raw, ArgumentChecks& checks) {
  if (!raw.values.empty() && raw.values != "layer" && raw.values != "tile") {
    checks.add("--values", '"' + raw.values + '"', "layer or tile", kHelpHint);
  }
  if (!raw.cost_only) return raw.values == "tile" ? Values::tile : Values::layer;
  for (const auto& [argument, text] : {std::pair{"--values", raw.values},
                                       {"--outputs", raw.outputs_path},
                                       {"--dump-tensors", raw.dump_path}}) {
    if (!text.empty())
      checks.add("--cost-only", "", "no " + std::string(argument) + " beside it",
                 "no values are computed; drop one of the two");
  }
  if (!raw.inputs.empty()) {
    checks.add("--cost-only", "", "no --input beside it", "no values are computed; drop one of the two");
  }
  return Values::none;
}

RunOptions run_options(const RawOptions& raw, ArgumentChecks& checks) {
  constexpr std::int64_t kMillion = 1'000'000;
  RunOptions run;
  run.hardware = raw.hardware;
  run.workload = raw.workload;
  if (raw.workload.empty()) {
    checks.add("--workload", "nothing", "a workload file or shipped name", "qsim list shows what ships");
  }
  for (const std::string& input : raw.inputs) run.inputs.push_back(input_argument(input));
  run.sets = raw.sets;
  run.seed = static_cast<std::uint64_t>(
      checks.integer("--seed", raw.seed, 0, std::numeric_limits<std::int64_t>::max(), 1));
  run.batch = checks.integer("--batch", raw.batch, 1, 65'536, 1);
  run.inferences = checks.integer("--inferences", raw.inferences, 1, kMillion, 1);
  run.weight_bits = checks.bits("--weight-bits", raw.weight_bits);
  run.activation_bits = checks.bits("--activation-bits", raw.activation_bits);
  run.bits_file = raw.bits_file;
  run.values = values_of(raw, checks);
  run.threads = static_cast<int>(checks.integer("--threads", raw.threads, 1, 1024, 0));
  run.until = raw.until;
  run.report_path = raw.report_path;
  run.layers_path = raw.layers_path;
  run.outputs_path = raw.outputs_path;
  run.dump_path = raw.dump_path;
  run.json = raw.json;
  run.quiet = raw.quiet;
  return run;
}

CommandLine parse_list(int argc, const char* const* argv) {
  CLI::App app;
  app.set_help_flag("");
  app.allow_extras();
  CommandLine line;
  bool help = false;
  line.command = Command::list;
  app.add_flag("--json", line.list_json);
  app.add_flag("-h,--help", help);
  parse(app, argc - 1, argv + 1);
  ArgumentChecks checks;
  checks.unknown(app.remaining(), option_names(app));
  if (help) return {Command::show_text, {}, false, kListHelp};
  checks.throw_if_any();
  return line;
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  if (argc > 1 && std::string(argv[1]) == "list") return parse_list(argc, argv);
  CLI::App app;
  RawOptions raw;
  declare_options(app, raw);
  parse(app, argc, argv);
  if (raw.help) return {Command::show_text, {}, false, kRunHelp};
  if (raw.version) return {Command::show_text, {}, false, "qsim " QSIM_VERSION "\n"};
  std::vector<std::string> known = option_names(app);
  known.emplace_back("list");
  ArgumentChecks checks;
  checks.unknown(app.remaining(), known);
  CommandLine line;
  line.run = run_options(raw, checks);
  checks.throw_if_any();
  return line;
}

}  // namespace qsim::cli
