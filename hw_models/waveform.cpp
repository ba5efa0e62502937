#include "hw_models/waveform.h"

namespace qsim {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 18;

/// Identifier codes are strings of the printable characters from '!' to '~'.
std::string code_of(std::size_t index) {
  constexpr std::size_t kCharacters = '~' - '!' + 1;
  std::string code;
  do {
    code += static_cast<char>('!' + index % kCharacters);
    index /= kCharacters;
  } while (index > 0);
  return code;
}

/// Leading zeros may be left out, and a leading one repeats the sign only where it is the highest bit.
std::string binary(std::int64_t value, int bits) {
  std::string digits;
  for (int bit = bits; bit-- > 0;) digits += ((value >> bit) & 1) != 0 ? '1' : '0';
  const std::size_t first = digits.find('1');
  return first == std::string::npos ? "0" : digits.substr(first);
}

}  // namespace

std::size_t Waveform::add(const std::string& scope, const std::string& name, int bits) {
  Signal signal;
  signal.scope = scope;
  signal.name = name;
  signal.code = code_of(signals_.size());
  signal.bits = bits;
  signals_.push_back(std::move(signal));
  return signals_.size() - 1;
}

void Waveform::append(const Signal& signal) {
  if (signal.bits == 1) {
    pending_ += signal.value ? (*signal.value != 0 ? '1' : '0') : 'z';
  } else {
    pending_ += 'b';
    pending_ += signal.value ? binary(*signal.value, signal.bits) : "z";
    pending_ += ' ';
  }
  pending_ += signal.code;
  pending_ += '\n';
}

void Waveform::append_declarations() {
  pending_ += "$comment qsim: one time step is one core cycle $end\n$timescale 1 ns $end\n";
  std::string scope;
  for (const Signal& signal : signals_) {
    if (signal.scope != scope) {
      if (!scope.empty()) pending_ += "$upscope $end\n";
      scope = signal.scope;
      pending_ += "$scope module " + scope + " $end\n";
    }
    pending_ +=
        "$var wire " + std::to_string(signal.bits) + ' ' + signal.code + ' ' + signal.name + " $end\n";
  }
  if (!scope.empty()) pending_ += "$upscope $end\n";
  pending_ += "$enddefinitions $end\n";
  is_declared_ = true;
}

void Waveform::sample(Cycle cycle) {
  if (!is_declared_) append_declarations();
  bool has_time = false;
  for (Signal& signal : signals_) {
    if (signal.is_written && signal.value == signal.written) continue;
    if (!has_time) pending_ += '#' + std::to_string(cycle) + '\n';
    has_time = true;
    append(signal);
    signal.written = signal.value;
    signal.is_written = true;
  }
  last_ = cycle;
  if (pending_.size() < kPieceBytes) return;
  write_(pending_);
  pending_.clear();
}

void Waveform::finish() {
  if (!is_declared_) append_declarations();
  if (last_ >= 0) pending_ += '#' + std::to_string(last_ + 1) + '\n';
  write_(pending_);
  pending_.clear();
}

}  // namespace qsim
