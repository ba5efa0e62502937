# Headers that nearly every file of a target reads, compiled once a target: most of the compiler's time is theirs.
#
# qsim_precompile(TARGET KIND): `standard` is the standard library, `json` adds nlohmann_json, `systemc` SystemC.
# A file still includes what it uses.
function(qsim_precompile target kind)
  set(headers <algorithm> <array> <cmath> <cstdint> <functional> <limits> <map> <memory> <optional> <set> <span>
              <sstream> <string> <string_view> <tuple> <unordered_map> <utility> <variant> <vector>)
  if(kind STREQUAL "json")
    list(APPEND headers <nlohmann/json.hpp>)
  elseif(kind STREQUAL "systemc")
    list(APPEND headers <systemc>)
  elseif(NOT kind STREQUAL "standard")
    message(FATAL_ERROR "qsim_precompile(${target} ${kind}): the kind is standard, json or systemc")
  endif()
  target_precompile_headers(${target} PRIVATE ${headers})
endfunction()
