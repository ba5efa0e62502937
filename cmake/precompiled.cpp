// What CMake needs to compile a header ahead: a target with a source file (QsimPrecompile.cmake).
