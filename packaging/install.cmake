# What is installed, and the package made of it. The target dltrain alone is needed for both.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(DLTRAIN_ZSH_FOLDER ${CMAKE_INSTALL_DATADIR}/zsh/site-functions CACHE STRING
    "where zsh looks for completions; Debian's packages have theirs in share/zsh/vendor-completions")

# Manual pages and completions are what the program prints, as soon as it is linked.
find_program(GZIP_PROGRAM gzip REQUIRED)
set(made ${CMAKE_BINARY_DIR}/documents)
add_custom_command(TARGET dltrain POST_BUILD
                   COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:dltrain> -DOUT=${made}
                           -DGZIP=${GZIP_PROGRAM}
                           -P ${CMAKE_SOURCE_DIR}/packaging/documents.cmake)

install(TARGETS dltrain RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY jobs configs DESTINATION ${CMAKE_INSTALL_DATADIR}/dltrain)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${made}/dltrain.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 OPTIONAL)
install(FILES ${made}/dltrain-job.5.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 OPTIONAL)
install(FILES ${made}/dltrain
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions OPTIONAL)
install(FILES ${made}/_dltrain DESTINATION ${DLTRAIN_ZSH_FOLDER} OPTIONAL)

# cpack -G DEB: a package for the Debian that it is made on, whose libraries it depends on.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dltrain)
set(CPACK_PACKAGE_CONTACT "dltrain <dltrain@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "trains neural networks on CPU clusters over MPI")
set(CPACK_PACKAGE_DESCRIPTION
    "A job is a text file: the network, what a training step minimises, the learning rate, the
 data. Every MPI rank runs an identical replica on its share of an HDF5 dataset; gradients are
 averaged in every minibatch. One binary, no Python, no GPU.")
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
if(MPI_C_LIBRARIES MATCHES "mpich")
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS mpich) # its mpirun, for several ranks
else()
  set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin) # one rank needs its orted, too
endif()
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
include(CPack)
