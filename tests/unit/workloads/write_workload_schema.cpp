// Writes the operations of a workload schema anew: qsim_write_workload_schema FILE.
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/json_reader.h"
#include "workloads/readers/json/json_ops.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: qsim_write_workload_schema FILE\n";
    return 2;
  }
  try {
    const nlohmann::ordered_json schema = qsim::with_operations(qsim::parse_json_file(argv[1]));
    std::ofstream file(argv[1]);
    file << schema.dump(2) << '\n';
    return file.good() ? 0 : 2;
  } catch (const qsim::InputError& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
