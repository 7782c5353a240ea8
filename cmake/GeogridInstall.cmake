include(GNUInstallDirs)
install(TARGETS geogridd RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(DIRECTORY conf/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples)
install(DIRECTORY systemd/ DESTINATION lib/systemd/system FILES_MATCHING PATTERN "*.service" PATTERN "*.target")
