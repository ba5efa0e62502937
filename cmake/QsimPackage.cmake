# Debian packages, made by scripts/package: qsim (the program and what it reads) and libqsim-dev (headers,
# static libraries and the CMake package). What libqsim-dev depends on are the libraries that the build uses.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "qsim maintainers <maintainers@qsim.example>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "simulator of NPUs for quantized neural networks")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/cmake/debian/stage.cmake)
set(CPACK_QSIM_DEBIAN_FOLDER ${PROJECT_SOURCE_DIR}/cmake/debian)
string(TIMESTAMP CPACK_QSIM_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of $SOURCE_DATE_EPOCH where that is set

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME qsim)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "\
qsim runs a quantized neural network on a modelled NPU and answers, in one
run: what exactly does the chip compute (bit for bit), how many cycles does
it take and why, how much energy goes where, and how much data moves.

The chip is a JSON file in which every size can be changed; the network is
an ONNX, TensorFlow Lite or JSON file, or a SCALE-Sim topology (.csv).")

file(STRINGS ${PROJECT_SOURCE_DIR}/scripts/packages.txt qsim_libraries REGEX "^build .*-dev$")
list(TRANSFORM qsim_libraries REPLACE "^build " "")
list(REMOVE_ITEM qsim_libraries libcli11-dev)  # the command line is not part of the library
list(JOIN qsim_libraries ", " qsim_libraries)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libqsim-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "qsim (= ${PROJECT_VERSION}), ${qsim_libraries}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "cmake (>= 3.25), g++")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "\
qsim runs a quantized neural network on a modelled NPU: values, cycles,
energy and data movement.

This package has the headers, the static libraries and the CMake package,
for programs that run networks on modelled chips: find_package(qsim).")
include(CPack)
