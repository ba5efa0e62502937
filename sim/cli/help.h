// Texts of --help; each fits a screen.
#pragma once

namespace qsim::cli {

extern const char* const kRunHelp;
extern const char* const kListHelp;

}  // namespace qsim::cli
