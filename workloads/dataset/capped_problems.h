// The problems of a labels file: a file of the wrong format has one in every line, and nobody reads them all.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "workloads/dataset/dataset.h"
#include "workloads/json_reader.h"

namespace qsim {

/// A ProblemList that keeps the first kMaxListedProblems and counts the others.
class CappedProblems {
 public:
  explicit CappedProblems(std::string file) : problems_(std::move(file)) {}

  void add(std::string place, std::string value, std::string expected, std::string hint = {}) {
    if (count_++ >= kMaxListedProblems) return;
    problems_.add(std::move(place), std::move(value), std::move(expected), std::move(hint));
  }
  /// Throws InputError when there is any; the last problem then counts those that are not listed.
  void throw_if_any() {
    const std::int64_t unlisted = count_ - kMaxListedProblems;
    if (unlisted > 0) problems_.add({}, {}, {}, "and " + std::to_string(unlisted) + " more of its problems");
    problems_.throw_if_any();
  }

 private:
  ProblemList problems_;
  std::int64_t count_ = 0;
};

}  // namespace qsim
