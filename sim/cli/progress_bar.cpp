#include "sim/cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qsim::cli {
namespace {

constexpr std::int64_t kBarWidth = 30;
constexpr const char* kWipe = "\r\033[K";

std::string time_text(double seconds) {
  const auto rounded = static_cast<std::int64_t>(std::ceil(std::min(seconds, 1e9)));
  if (rounded < 60) return fmt::format("{} s", rounded);
  if (rounded < 3600) return fmt::format("{} min {:02} s", rounded / 60, rounded % 60);
  return fmt::format("{} h {:02} min", rounded / 3600, rounded % 3600 / 60);
}

}  // namespace

std::string progress_line(std::int64_t done, std::int64_t total, double elapsed_s, const std::string& unit) {
  const std::int64_t filled = total > 0 ? kBarWidth * done / total : kBarWidth;
  std::string line =
      fmt::format("[{}{}] {} of {} {}", std::string(static_cast<std::size_t>(filled), '#'),
                  std::string(static_cast<std::size_t>(kBarWidth - filled), '-'), done, total, unit);
  if (done == 0 || elapsed_s <= 0.0) return line;
  const double rate = static_cast<double>(done) / elapsed_s;
  return line + fmt::format(", {:.{}f}/s, {} left", rate, rate < 10.0 ? 1 : 0,
                            time_text(static_cast<double>(total - done) / rate));
}

ProgressBar::ProgressBar(std::string unit)
    : unit_(std::move(unit)),
      is_terminal_(isatty(STDERR_FILENO) != 0),
      start_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (is_terminal_) std::fputs(kWipe, stderr);
}

void ProgressBar::show(std::int64_t done, std::int64_t total) {
  if (!is_terminal_) return;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  std::fprintf(stderr, "%s%s", kWipe, progress_line(done, total, elapsed.count(), unit_).c_str());
}

}  // namespace qsim::cli
