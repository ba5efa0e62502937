// Writes completions and manual page, laid out as below a prefix's share/ folder.
// Usage: qsim_write_shell_files FOLDER VERSION DATE
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "base/atomic_file.h"
#include "sim/cli/command_list.h"
#include "sim/cli/shell/bash_completion.h"
#include "sim/cli/shell/fish_completion.h"
#include "sim/cli/shell/man_page.h"
#include "sim/cli/shell/zsh_completion.h"

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  qsim::write_file_atomically(path.string(), text);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: qsim_write_shell_files FOLDER VERSION DATE\n", stderr);
    return 2;
  }
  try {
    const std::filesystem::path share = argv[1];
    const std::vector<qsim::cli::Command> commands = qsim::cli::all_commands();
    write(share / "bash-completion" / "completions" / "qsim", qsim::cli::bash_completion(commands));
    write(share / "zsh" / "site-functions" / "_qsim", qsim::cli::zsh_completion(commands));
    write(share / "fish" / "vendor_completions.d" / "qsim.fish", qsim::cli::fish_completion(commands));
    write(share / "man" / "man1" / "qsim.1", qsim::cli::man_page(commands, argv[2], argv[3]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "qsim_write_shell_files: %s\n", error.what());
    return 1;
  }
  return 0;
}
