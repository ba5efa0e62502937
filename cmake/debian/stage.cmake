# CPack runs this before it makes the packages: what Debian's policy wants beyond an installed tree.
# Runs once for each component's folder below CPACK_TEMPORARY_DIRECTORY.
file(GLOB prefixes ${CPACK_TEMPORARY_DIRECTORY}/*/usr)

function(compress file)
  execute_process(COMMAND gzip -9nf ${file} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(prefix IN LISTS prefixes)
  if(EXISTS ${prefix}/bin/qsim)
    set(package ${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME})
    compress(${prefix}/share/man/man1/qsim.1)
    # Where Debian's zsh looks below /usr.
    file(MAKE_DIRECTORY ${prefix}/share/zsh/vendor-completions)
    file(RENAME ${prefix}/share/zsh/site-functions/_qsim ${prefix}/share/zsh/vendor-completions/_qsim)
    file(REMOVE_RECURSE ${prefix}/share/zsh/site-functions)
  else()
    set(package ${CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME})
  endif()
  set(documents ${prefix}/share/doc/${package})
  configure_file(${CPACK_QSIM_DEBIAN_FOLDER}/copyright ${documents}/copyright COPYONLY)
  file(WRITE ${documents}/changelog
    "${package} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n"
    "  * Version ${CPACK_PACKAGE_VERSION}.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${CPACK_QSIM_DATE}\n")
  compress(${documents}/changelog)
endforeach()
