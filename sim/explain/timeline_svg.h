// The trace of a run (qsim --trace) as a picture.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace qsim {

/// An SVG document: a line a track, cycles from left to right. What is narrower than a pixel is summed up:
/// each pixel has the color of the state that took most of it, the paler the less of it was taken. Throws
/// InputError where `trace` is no trace of qsim; `file` names it.
[[nodiscard]] std::string timeline_svg(const nlohmann::ordered_json& trace, const std::string& file);

}  // namespace qsim
