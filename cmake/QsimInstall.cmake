# The installed tree, in two components.
#
# runtime: bin/qsim, configurations and workloads under share/qsim, completions and the manual page.
# development: static libraries, headers under include/qsim, and a CMake package.
#
# Nothing in it is an absolute path, so a prefix may be moved.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS qsim RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(TARGETS qsim_base qsim_arithmetic qsim_dataflow qsim_hw_models qsim_graph qsim_formats qsim_execute qsim_readers qsim_workloads
        qsim_dataset qsim_compiler qsim_sim qsim_evaluate qsim_explain qsim_compare qsim_compare_schemes qsim_quantization
        EXPORT qsimTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)

# What a program of one's own includes: docs/library.md. Headers that these include are installed beside them; all
# keep their path from the repository's root, as include/qsim/sim/simulate.h.
set(QSIM_PUBLIC_HEADERS
  base/error.h
  sim/config/load_hardware.h
  sim/energy/energy_model.h
  sim/energy/energy_table.h
  sim/report/layers_csv.h
  sim/report/report_json.h
  sim/report/summary.h
  sim/report/text_report.h
  sim/simulate.h
  workloads/formats/npy.h
  workloads/formats/safetensors.h
  workloads/graph/graph.h
  workloads/readers/load.h)
install(CODE "set(qsim_source \"${PROJECT_SOURCE_DIR}\")
              set(qsim_headers \"${QSIM_PUBLIC_HEADERS}\")
              set(qsim_include \"${CMAKE_INSTALL_INCLUDEDIR}/qsim\")" COMPONENT development)
install(SCRIPT cmake/install_headers.cmake COMPONENT development)

# The binary looks for these in ../share/qsim, seen from where it lies.
install(DIRECTORY configs DESTINATION share/qsim COMPONENT runtime)
install(DIRECTORY workloads/models DESTINATION share/qsim/workloads COMPONENT runtime)

# Made when qsim is built; laid out as shells and man look for them.
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION share COMPONENT runtime)

set(qsim_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/qsim)
install(EXPORT qsimTargets NAMESPACE qsim:: DESTINATION ${qsim_package_folder} COMPONENT development)
set(qsim_share_folder share/qsim)
configure_package_config_file(cmake/qsimConfig.cmake.in ${PROJECT_BINARY_DIR}/qsimConfig.cmake
                              INSTALL_DESTINATION ${qsim_package_folder} PATH_VARS qsim_share_folder)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qsimConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/qsimConfig.cmake ${PROJECT_BINARY_DIR}/qsimConfigVersion.cmake
              cmake/FindSystemC.cmake
        DESTINATION ${qsim_package_folder} COMPONENT development)
