# Compiler settings shared by every target; link `qsim_options` privately.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(QSIM_CCACHE ccache)
mark_as_advanced(QSIM_CCACHE)
if(QSIM_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${QSIM_CCACHE}")
endif()

# Several files of a target compiled as one: most of the compiler's time goes into headers and templates that they
# share. Names in unnamed namespaces have to differ within a target; a file that cannot be joined says so with
# qsim_compile_alone.
option(QSIM_UNITY "Compile several files of a target at once" ON)
set(CMAKE_UNITY_BUILD ${QSIM_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
function(qsim_compile_alone)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

option(QSIM_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
set(QSIM_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")
option(QSIM_COVERAGE "Instrument for coverage" OFF)
option(QSIM_FUZZ "Make what libFuzzer needs, and the fuzz targets (clang)" OFF)

option(QSIM_LINT "Configure every target there is, for the compile commands" OFF)
# Headers that are made before anything is compiled; a target that makes one is added as a dependency.
add_custom_target(qsim_generated)

add_library(qsim_options INTERFACE)
target_compile_features(qsim_options INTERFACE cxx_std_20)
target_compile_options(qsim_options INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast)
# GCC 12 reports overlaps and overflows that cannot happen in std::string concatenation (GCC bug 105651; with
# precompiled headers as array bounds, too) and in vectorized loops at -O3; the sanitizer build checks what these
# warnings are about.
target_compile_options(qsim_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overread>
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
# A fused multiply-add where the source has two operations would change float32 results.
target_compile_options(qsim_options INTERFACE -ffp-contract=off)
if(QSIM_WARNINGS_AS_ERRORS)
  target_compile_options(qsim_options INTERFACE -Werror)
endif()
if(QSIM_SANITIZE)
  target_compile_options(qsim_options INTERFACE -fsanitize=${QSIM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(qsim_options INTERFACE -fsanitize=${QSIM_SANITIZE})
endif()
if(QSIM_FUZZ)
  target_compile_options(qsim_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(QSIM_COVERAGE)
  target_compile_options(qsim_options INTERFACE --coverage)
  target_link_options(qsim_options INTERFACE --coverage)
endif()
