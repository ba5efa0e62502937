// Catch2's main for every unit test. The SystemC library defines main and wants sc_main; ours comes first.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

int main(int argc, char* argv[]) {
  return Catch::Session().run(argc, argv);
}
