# Tests are configured where what they need is found; the rest is told at the end of configuring.
#
# qsim_tests_found(WHAT) and qsim_tests_missing(WHAT WHY) collect the lines that qsim_print_tests() prints.
option(QSIM_REQUIRE_TESTS "Fail where a test cannot be configured, in place of leaving it out" OFF)

function(qsim_tests_found what)
  set_property(GLOBAL APPEND PROPERTY qsim_tests_found "${what}")
endfunction()

function(qsim_tests_missing what why)
  set_property(GLOBAL APPEND PROPERTY qsim_tests_missing "${what}: ${why}")
endfunction()

function(qsim_print_tests)
  get_property(found GLOBAL PROPERTY qsim_tests_found)
  get_property(missing GLOBAL PROPERTY qsim_tests_missing)
  list(JOIN found ", " found_text)
  if(found)
    message(STATUS "Tests: ${found_text}")
  endif()
  foreach(line IN LISTS missing)
    message(STATUS "Tests left out: ${line}")
  endforeach()
  if(missing AND QSIM_REQUIRE_TESTS)
    message(FATAL_ERROR "QSIM_REQUIRE_TESTS is set and tests are left out: see above")
  endif()
endfunction()
