// What the sources of the chip may know of each other.
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace qsim {
namespace {

namespace fs = std::filesystem;

/// C++ files below hw_models by their path from the source folder, and their texts.
std::map<std::string, std::string> sources() {
  std::map<std::string, std::string> texts;
  const fs::path root = QSIM_SOURCE_FOLDER;
  for (const auto& entry : fs::recursive_directory_iterator(root / "hw_models")) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    texts[fs::relative(entry.path(), root).generic_string()] = text.str();
  }
  return texts;
}

/// Headers of the units: those that define a SystemC module.
std::set<std::string> unit_headers(const std::map<std::string, std::string>& texts) {
  std::set<std::string> headers;
  for (const auto& [path, text] : texts) {
    if (path.ends_with(".h") && text.find(": public sc_core::sc_module") != std::string::npos) {
      headers.insert(path);
    }
  }
  return headers;
}

std::vector<std::string> includes(const std::string& text) {
  static const std::regex kInclude("#include \"([^\"]+)\"");
  std::vector<std::string> paths;
  for (std::sregex_iterator match(text.begin(), text.end(), kInclude), end; match != end; ++match) {
    paths.push_back((*match)[1]);
  }
  return paths;
}

std::string stem(const std::string& path) {
  return path.substr(0, path.rfind('.'));
}

/// What builds and binds units.
const std::set<std::string> kAssemblies = {"hw_models/core/core", "hw_models/npu", "hw_models/run_chip"};

TEST_CASE("units are bound by interfaces: only what assembles them includes the header of one") {
  const auto texts = sources();
  const std::set<std::string> units = unit_headers(texts);
  for (const char* unit :
       {"hw_models/core/sram_buffer.h", "hw_models/core/mac_array.h", "hw_models/core/controller.h",
        "hw_models/memory/dma.h", "hw_models/memory/memory.h", "hw_models/core/core.h", "hw_models/npu.h"}) {
    INFO(unit);
    CHECK(units.contains(unit));
  }
  for (const auto& [path, text] : texts) {
    if (kAssemblies.contains(stem(path))) continue;
    for (const std::string& header : includes(text)) {
      INFO(path << " includes " << header);
      CHECK((!units.contains(header) || stem(header) == stem(path)));
    }
  }
}

TEST_CASE("no context is shared by all modules") {
  for (const auto& [path, text] : sources()) {
    INFO(path);
    CHECK(text.find("ChipContext") == std::string::npos);
  }
}

TEST_CASE("units name no tokens: what a command waits for and signals is in the command") {
  for (const auto& [path, text] : sources()) {
    if (path.find("controller") != std::string::npos || path.find("expand") != std::string::npos) continue;
    INFO(path);
    CHECK(text.find("tokens_.") == std::string::npos);
    CHECK(text.find("Tokens") == std::string::npos);
  }
}

}  // namespace
}  // namespace qsim
