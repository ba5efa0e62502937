# qsim_add_unit_tests(NAME SOURCES... LIBRARIES...): one executable a room. Catch2's main is compiled once.
include(Catch)
add_library(qsim_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
target_link_libraries(qsim_test_main PUBLIC Catch2::Catch2 PRIVATE qsim_options)

add_custom_target(qsim_unit_tests)  # All executables of unit tests.

function(qsim_add_unit_tests name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  add_dependencies(qsim_unit_tests ${name})
  target_link_libraries(${name} PRIVATE qsim_test_main qsim_options ${ARG_LIBRARIES})
  catch_discover_tests(${name} TEST_PREFIX "${qsim_test_prefix}${name}: " PROPERTIES TIMEOUT 300 LABELS unit)
endfunction()
