// How far a long command is, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace qsim::cli {

/// One line on standard error that is drawn again and again; nothing where standard error is no terminal.
class ProgressBar {
 public:
  /// `unit` is what is counted: "images".
  explicit ProgressBar(std::string unit);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  /// Wipes the line.
  ~ProgressBar();

  void show(std::int64_t done, std::int64_t total);

 private:
  std::string unit_;
  bool is_terminal_;
  std::chrono::steady_clock::time_point start_;
};

/// "[####------] 1234 of 5000 images, 617/s, 6 s left". Rate and rest are left out before anything is done.
[[nodiscard]] std::string progress_line(std::int64_t done, std::int64_t total, double elapsed_s,
                                        const std::string& unit);

}  // namespace qsim::cli
