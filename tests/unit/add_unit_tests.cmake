# qsim_add_unit_tests(NAME SOURCES... LIBRARIES...): one executable a room. Catch2 is compiled twice in all: its main,
# and as a precompiled header that every executable uses.
include(Catch)
add_library(qsim_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
target_link_libraries(qsim_test_main PUBLIC Catch2::Catch2 PRIVATE qsim_options)

# The libraries are optimized as always; of the tests' own code nothing needs more than the fastest to compile. The
# compiler takes a precompiled header where every option is the same: -fPIC of libraries, not -fPIE of programs.
add_library(qsim_test_options INTERFACE)
target_compile_options(qsim_test_options INTERFACE -O1 -fPIC)
if(QSIM_FUZZ)
  # What libFuzzer follows is in the libraries.
  target_compile_options(qsim_test_options INTERFACE -fno-sanitize=fuzzer-no-link)
endif()
qsim_add_precompiled(tests HEADERS ${qsim_standard_headers} <catch2/catch.hpp>
                     LIBRARIES Catch2::Catch2 qsim_test_options)

add_custom_target(qsim_unit_tests)  # All executables of unit tests.

function(qsim_add_unit_tests name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(qsim_unit_tests ${name})
  target_link_libraries(${name} PRIVATE qsim_test_main qsim_options qsim_test_options ${ARG_LIBRARIES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  qsim_precompile(${name} tests)
  catch_discover_tests(${name} TEST_PREFIX "${qsim_test_prefix}${name}: " PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
