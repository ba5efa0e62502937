// Files that may be given by path or by the name under which they ship ("npu" for .../configs/npu.json).
#pragma once

#include <string>
#include <vector>

namespace qsim {

/// True where the words mean a path: they hold a '/' or end in ".json".
[[nodiscard]] bool is_file_path(const std::string& name_or_path);

/// Names (without ".json") of the files directly in `folders`, sorted, each once.
[[nodiscard]] std::vector<std::string> list_named_files(const std::vector<std::string>& folders);

/// What a name or path is for; shapes the message when nothing is found.
struct NamedFileUse {
  std::string file;   ///< File or argument that holds the name: "--hw", "chip.json".
  std::string place;  ///< Place in it ("extends"); may be empty.
  std::string what;   ///< "a hardware configuration", "an energy table".
};

/// Path of the file meant: a path is taken relative to `base_folder` ("" for the working folder); a name, and
/// a relative path where no such file is ("configs/npu.json"), is looked up in `folders`, first match first.
/// Throws InputError, with the nearest name, when there is none.
[[nodiscard]] std::string find_named_file(const std::string& name_or_path, const std::string& base_folder,
                                          const std::vector<std::string>& folders, const NamedFileUse& use);

}  // namespace qsim
