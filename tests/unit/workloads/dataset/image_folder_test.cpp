#include "workloads/dataset/image_folder.h"

#include <catch2/catch.hpp>

#include "tests/unit/workloads/dataset/image_encoders.h"

using qsim::open_dataset;

namespace {

/// A folder with a.png (4 x 2), sub/b.jpg (9 x 5) and the labels of a test.
class Folder {
 public:
  explicit Folder(const std::string& labels) {
    std::filesystem::create_directory(scratch_.path("sub"));
    write_bytes(scratch_, "a.png", encode_png(waves(4, 2, 3)));
    write_bytes(scratch_, "sub/b.jpg", encode_jpeg(waves(9, 5, 3)));
    write_text(scratch_, "labels.csv", labels);
  }
  [[nodiscard]] const ScratchFolder& scratch() const { return scratch_; }
  [[nodiscard]] std::string spec() const { return "images:" + scratch_.path(""); }
  [[nodiscard]] std::vector<qsim::Problem> problems() const {
    return problems_of([&] { (void)open_dataset(spec()); });
  }

 private:
  ScratchFolder scratch_;
};

}  // namespace

TEST_CASE("a labels file names images and their labels in its order") {
  const Folder folder("file,label,name\r\nsub/b.jpg,7,\"a, b\"\r\na.png,2,c\r\n");
  const auto data = open_dataset(folder.spec());
  REQUIRE(data->size() == 2);
  CHECK(data->label_count() == 8);
  CHECK(data->name(0) == "sub/b.jpg");
  CHECK(data->label(0) == 7);
  CHECK(data->image(0).width == 9);
  CHECK(data->label(1) == 2);
  CHECK(data->image(1).pixels == waves(4, 2, 3).pixels);
}

TEST_CASE("columns are found by their names, and the labels may lie elsewhere") {
  const Folder folder("");
  const std::string labels = write_text(folder.scratch(), "other.csv", "label,file\n3,a.png\n");
  const auto data = open_dataset(folder.spec() + ",labels=" + labels);
  CHECK(data->label(0) == 3);
  CHECK(data->name(0) == "a.png");
}

TEST_CASE("every problem of a labels file is told at once") {
  const Folder folder(
      "file,label\n"
      "a.png,x\n"
      "a.png,1\n"
      "missing.png,0\n"
      "../a.png,0\n"
      "/etc/passwd,0\n"
      "sub/b.jpg,-1\n"
      "a.png\n"
      "a.png,1,2\n"
      "a\"b,0\n"
      ",0\n"
      "sub,0\n"
      "./sub/../a.png,1000000\n"
      "b.jpg,1.0\n");
  const auto problems = folder.problems();
  const auto at_line = [&](int line) {
    std::string text;
    for (const qsim::Problem& problem : problems) {
      if (problem.place == "line " + std::to_string(line))
        text += problem.value + "; " + problem.hint + " | ";
    }
    return text;
  };
  CHECK(at_line(2) == "label \"x\"; number the classes from 0 | ");
  CHECK(at_line(3) == "file \"a.png\" again; it is in line 2 | ");
  CHECK(at_line(4) == "file \"missing.png\"; it is not there; check the name | ");
  CHECK(at_line(5) == "file \"../a.png\"; move the image into the folder | ");
  CHECK(at_line(6) == "file \"/etc/passwd\"; move the image into the folder | ");
  CHECK(at_line(7) == "label \"-1\"; number the classes from 0 | ");
  CHECK(at_line(8) == "1 fields; quote a field that holds a comma | ");
  CHECK(at_line(9) == "3 fields; quote a field that holds a comma | ");
  CHECK(at_line(10) == "a quote inside a field that is not quoted; docs/datasets.md has an example | ");
  CHECK(at_line(11) == "file \"\"; move the image into the folder | ");
  CHECK(at_line(12) == "file \"sub\"; it is not there; check the name | ");
  CHECK_THAT(at_line(13), Catch::Contains("label \"1000000\"") && Catch::Contains("file \"./sub/../a.png\""));
  CHECK_THAT(at_line(14), Catch::Contains("label \"1.0\"") && Catch::Contains("file \"b.jpg\""));
}

TEST_CASE("the list of problems is capped") {
  std::string labels = "file,label\n";
  for (int i = 0; i < 1000; ++i) labels += "missing" + std::to_string(i) + ".png,0\n";
  CHECK(Folder(labels).problems().size() == qsim::kMostListedProblems);
}

TEST_CASE("a labels file without its header or its rows is refused") {
  CHECK(Folder("").problems().at(0).value == "an empty file");
  CHECK(Folder("a.png,1\n").problems().at(0).value == "0 columns named file");
  CHECK(Folder("file,file,label\n").problems().at(0).value == "2 columns named file");
  CHECK(Folder("file,label\n").problems().at(0).value == "no image");
  CHECK(Folder(std::string("file,label\na\0b.png,1\n", 21)).problems().at(0).value ==
        "a file name with control characters");
}

TEST_CASE("a folder that is not there, or has no labels.csv, is refused by name") {
  const ScratchFolder folder;
  const auto problem = [](const std::string& spec) {
    return problems_of([&] { (void)open_dataset(spec); }).at(0);
  };
  CHECK(problem("images:" + folder.path("none")).file == folder.path("none"));
  CHECK(problem("images:" + folder.path("")).file == folder.path("labels.csv"));
}

TEST_CASE("a corrupt image is an error of that image only") {
  const Folder folder("file,label\na.png,0\nsub/b.jpg,1\n");
  write_text(folder.scratch(), "sub/b.jpg", "\xFF\xD8\xFF no picture");
  const auto data = open_dataset(folder.spec());
  CHECK(data->image(0).width == 4);
  const auto problems = problems_of([&] { (void)data->image(1); });
  CHECK(problems.at(0).file == folder.scratch().path("") + "sub/b.jpg");
}
