// The schemes that are compared.
#pragma once

#include <string>
#include <vector>

#include "workloads/graph/scheme.h"

namespace qsim {

struct NamedScheme {
  std::string name;  ///< As it was written: the text, or what a file calls it.
  Scheme scheme;
};

/// Widths, granularities, symmetries and scales that networks are commonly quantized with.
[[nodiscard]] std::vector<NamedScheme> default_schemes();

/// `argument` is a list, "w8a8,w4a8:weights=per_tensor,asymmetric" (parse_scheme_list), or a file: one scheme
/// as read_scheme() takes it, or a list of these and of texts. The name of a scheme in a file is its `name`
/// (of lists), else its text; of one with exceptions the file's. Throws InputError with every problem.
[[nodiscard]] std::vector<NamedScheme> read_scheme_list(const std::string& argument);

}  // namespace qsim
