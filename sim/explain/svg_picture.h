// A picture in SVG: labels, lines, and what a drawing adds by itself.
#pragma once

#include <string>

namespace qsim {

class SvgPicture {
 public:
  /// On a white ground; sizes and coordinates in pixels, from the upper left corner.
  SvgPicture(double width, double height);

  /// `anchor`: the end of the text that is at `x`, "start", "middle" or "end".
  void label(double x, double y, const char* anchor, const std::string& text, int size = 12);
  /// `style`: attributes of the line.
  void line(double x1, double y1, double x2, double y2, const char* style);
  /// An element as it is.
  void add(const std::string& element) { text_ += element; }

  [[nodiscard]] std::string text() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace qsim
