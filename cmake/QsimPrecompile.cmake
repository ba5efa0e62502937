# Headers that nearly every file of a target reads, compiled once and used by every target of the same kind: much of
# the compiler's time is theirs.
#
# qsim_precompile(TARGET KIND): `standard` is the standard library, `json` adds nlohmann_json, `systemc` SystemC. The
# target has to link what has these headers, and qsim_options: the compiler's options have to be the same everywhere.
# A file still includes what it uses.
set(qsim_standard_headers <algorithm> <array> <cmath> <cstdint> <functional> <limits> <map> <memory> <optional> <set>
    <span> <sstream> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>)

# qsim_add_precompiled(KIND HEADERS... LIBRARIES... DEFINITIONS...): the target qsim_precompiled_KIND.
function(qsim_add_precompiled kind)
  cmake_parse_arguments(ARG "" "" "HEADERS;LIBRARIES;DEFINITIONS" ${ARGN})
  add_library(qsim_precompiled_${kind} OBJECT ${PROJECT_SOURCE_DIR}/cmake/precompiled.cpp)
  target_precompile_headers(qsim_precompiled_${kind} PRIVATE ${ARG_HEADERS})
  target_link_libraries(qsim_precompiled_${kind} PRIVATE qsim_options ${ARG_LIBRARIES})
  target_compile_definitions(qsim_precompiled_${kind} PRIVATE ${ARG_DEFINITIONS})
endfunction()

qsim_add_precompiled(standard HEADERS ${qsim_standard_headers})
qsim_add_precompiled(json HEADERS ${qsim_standard_headers} <nlohmann/json.hpp> LIBRARIES nlohmann_json::nlohmann_json)
qsim_add_precompiled(systemc HEADERS ${qsim_standard_headers} <systemc> LIBRARIES SystemC::systemc
                     DEFINITIONS SC_INCLUDE_DYNAMIC_PROCESSES)

function(qsim_precompile target kind)
  if(NOT TARGET qsim_precompiled_${kind})
    message(FATAL_ERROR "qsim_precompile(${target} ${kind}): the kind is standard, json or systemc")
  endif()
  target_precompile_headers(${target} REUSE_FROM qsim_precompiled_${kind})
endfunction()
