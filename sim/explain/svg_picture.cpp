#include "sim/explain/svg_picture.h"

#include <fmt/format.h>

#include "sim/explain/xml_text.h"

namespace qsim {

SvgPicture::SvgPicture(double width, double height)
    : text_(fmt::format(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
          "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
          "fill=\"white\"/>\n",
          width, height)) {}

void SvgPicture::label(double x, double y, const char* anchor, const std::string& text, int size) {
  add(fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\">{}</text>\n", x, y,
                  anchor, size, xml_text(text)));
}

void SvgPicture::line(double x1, double y1, double x2, double y2, const char* style) {
  add(fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2,
                  style));
}

}  // namespace qsim
