#include "sim/cli/shell/man_page.h"

#include <fmt/format.h>

#include <cctype>
#include <limits>
#include <sstream>

#include "sim/cli/help.h"
#include "sim/cli/shell/value_source.h"
#include "workloads/readers/workload_format.h"

namespace qsim::cli {
namespace {

constexpr std::size_t kColumns = 78;

constexpr const char* kDescription = R"(.SH DESCRIPTION
.B qsim
runs a quantized neural network on a modelled NPU and answers, in one run:
what exactly does the chip compute (bit for bit), how many cycles does it
take and why, how much energy goes where, and how much data moves.
.PP
)";

constexpr const char* kManPageEnd = R"(.SH ENVIRONMENT
.TP
.B QSIM_PATH
Folders, separated by colons, that hold
.I configs/
and
.IR workloads/models/ ;
they are searched before what ships with the program.
.TP
.B QSIM_KERNELS
Instruction set that the fast kernels are restricted to:
.IR portable ,
or one of those that
.B qsim check
names on some computer.
Results are the same with all of them.
.SH FILES
Seen from the folder of the program:
.TP
.I ../share/qsim/configs/
Hardware configurations, energy tables in
.I energy/
and, in
.IR schemas/ ,
the JSON schemas of all files: unit, default and meaning of every field.
.TP
.I ../share/qsim/workloads/models/
Networks.
)";

/// Words as roff has to read them: its escape character, and the dash that is not a hyphen.
std::string plain(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '\\':
        result += "\\e";
        break;
      case '-':
        result += "\\-";
        break;
      case '\'':
        result += "\\(aq";
        break;
      case '"':
        result += "\\(dq";
        break;
      case '^':
        result += "\\(ha";
        break;
      case '~':
        result += "\\(ti";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string bold(const std::string& text) {
  return "\\fB" + plain(text) + "\\fR";
}

std::string italic(const std::string& text) {
  return "\\fI" + plain(text) + "\\fR";
}

/// Running text, its lines broken between words. A word that a line begins with is no macro.
std::string paragraph(const std::string& text) {
  std::istringstream words(text);
  std::string result, line;
  for (std::string word; words >> word;) {
    word = plain(word);
    if (!line.empty() && line.size() + 1 + word.size() > kColumns) {
      result += line + "\n";
      line.clear();
    }
    if (line.empty()) {
      line = (word[0] == '.' ? "\\&" : "") + word;
    } else {
      line += " " + word;
    }
  }
  return result + line + "\n";
}

/// "of the seeded inputs" -> "Of the seeded inputs.", unless it begins with something to be written as it is.
std::string sentence(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text + ".";
}

/// What the table knows of a value and a screen of help has no room for.
std::string remarks(const Option& option) {
  std::string text;
  if (option.kind == ValueKind::integer) {
    text += option.max == std::numeric_limits<std::int64_t>::max()
                ? fmt::format(" An integer, at least {}.", option.min)
                : fmt::format(" An integer from {} to {}.", option.min, option.max);
  }
  if (option.kind == ValueKind::choice) text += " One of " + joined(option.choices, ", ") + ".";
  if (!option.default_text.empty()) text += " Default: " + option.default_text + ".";
  if (option.required) text += " Required.";
  if (option.repeatable) text += " May be given more than once.";
  if (!option.needs.empty()) text += " Only together with --" + option.needs + ".";
  if (!option.excludes.empty())
    text += " Not together with --" + joined(option.excludes, ", --") + ": " + option.excludes_because + ".";
  return text + (option.detail.empty() ? "" : " " + option.detail);
}

std::string option_entry(const Option& option) {
  std::string heading;
  if (option.positional) heading = italic(option.name);
  const std::string value = option.takes_value() ? " " + italic(option.value) : "";
  const std::string short_name = option.short_name == '\0' ? "" : std::string("-") + option.short_name;
  if (!short_name.empty()) heading = bold(short_name) + value + ", ";
  if (!option.positional) heading += bold(option.written()) + value;
  return ".TP\n" + heading + "\n" + paragraph(sentence(option.help) + remarks(option));
}

std::string option_entries(const Command& command) {
  std::string text;
  const std::string* group = nullptr;
  for (const Option& option : command.options) {
    if (command.words.name.empty() && (group == nullptr || *group != option.group))
      text += ".SS " + plain(option.group.empty() ? "Other" : option.group) + "\n";
    group = &option.group;
    text += option_entry(option);
  }
  return text;
}

/// What qsim is, and every format of networks.
std::string description() {
  std::vector<std::string> formats;
  for (const WorkloadFormat* format : workload_formats())
    formats.push_back(fmt::format("{} ({})", format->title, format->extension));
  return kDescription +
         paragraph(
             "The chip is a JSON file in which every size can be changed; the network is a file in one of "
             "these formats: " +
             joined(formats, ", ") +
             ". Configurations and networks that ship are given by their names, others by the paths of "
             "their files.");
}

std::string synopsis(const std::vector<Command>& all) {
  std::string text = ".SH SYNOPSIS\n";
  for (const Command& command : all) {
    for (const std::string& usage : command.words.usage) {
      text +=
          (text.ends_with("SYNOPSIS\n") ? "" : ".br\n") + bold(command.call()) + " " + plain(usage) + "\n";
    }
  }
  return text;
}

std::string command_sections(const std::vector<Command>& all) {
  std::string text = ".SH COMMANDS\n";
  for (const Command& command : all) {
    if (command.words.name.empty()) continue;
    text += ".SS " + plain(command.call()) + "\n" + paragraph(sentence(command.words.summary)) +
            option_entries(command);
    if (!command.words.notes.empty()) text += ".PP\n";
    for (const std::string& note : command.words.notes) text += paragraph(note);
  }
  return text;
}

std::string exit_status(const std::vector<Command>& all) {
  std::string failures;
  for (const Command& command : all) {
    if (!command.words.exit_1.empty())
      failures += fmt::format("{}{}: {}", failures.empty() ? "" : "; ", command.call(), command.words.exit_1);
  }
  std::string text = ".SH EXIT STATUS\n";
  const auto entry = [&](const char* code, const std::string& meaning) {
    text += fmt::format(".TP\n.B {}\n{}", code, paragraph(meaning));
  };
  entry("0", "Success.");
  entry("1", "A check failed (" + failures + ").");
  entry("2",
        "Bad input: arguments, configuration, model, data, or an output that cannot be written. There is one "
        "message a problem, on standard error.");
  entry("70", "An internal error.");
  entry("130", "Interrupted.");
  return text;
}

std::string examples(const std::vector<Command>& all) {
  std::string text;
  for (const Command& command : all) {
    for (const std::string& example : command.words.examples) {
      text += (text.empty() ? "" : ".PP\n") + paragraph(command.words.summary + ":") + ".PP\n.RS\n" +
              bold(example) + "\n.RE\n";
    }
  }
  return ".SH EXAMPLES\n" + text;
}

}  // namespace

std::string man_page(const std::vector<Command>& all, const std::string& version, const std::string& date) {
  std::string text = fmt::format(".TH QSIM 1 \"{}\" \"qsim {}\" \"User Commands\"\n", date, version);
  text += ".SH NAME\nqsim \\- simulator of NPUs for quantized neural networks\n";
  text +=
      synopsis(all) + description() + ".SH OPTIONS\n" + option_entries(all.front()) + command_sections(all);
  return text + exit_status(all) + kManPageEnd + examples(all);
}

}  // namespace qsim::cli
