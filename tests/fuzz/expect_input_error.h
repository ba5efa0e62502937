// The property that every target has: an input is taken, or refused with messages that a person can use, and
// either within a second.
#pragma once

#include <functional>

/// Runs `action`. An InputError has to have problems, each of one line of printable text with a file and
/// an expectation. Any other exception, a fault or a leak ends the fuzzer, as does more than a second of
/// processor time (not of the clock: a busy machine is no finding). True where the action ran to its end.
bool accepts(const std::function<void()>& action);
