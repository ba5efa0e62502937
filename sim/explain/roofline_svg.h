// A roofline as a picture: MACs a cycle over MACs a DRAM byte, both logarithmic.
#pragma once

#include <string>

#include "sim/explain/roofline.h"

namespace qsim {

/// An SVG document. Roofs are lines, layers circles with an area like their cycles and a color a limit; a
/// viewer shows a layer's name and figures at its circle. Layers that move nothing lie at the right edge.
[[nodiscard]] std::string roofline_svg(const Roofline& roofline);

}  // namespace qsim
