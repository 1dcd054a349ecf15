# What `cmake --install` puts under the prefix:
#   bin/sepconv              the tool, finding Halide beside it
#   lib/libHalide.so, lib/libautoschedule_*.so
#   lib/cmake/sepconv/       find_package(sepconv)
#   include/sepconv/         what users of compiled libraries include
#   share/sepconv/runtime/   the runtime's sources
#   share/sepconv/tuning/    tuning tables
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One lib folder whatever the distribution calls it: the tool's RPATH depends on it.
set(sepconv_lib lib)
set(sepconv_package ${sepconv_lib}/cmake/sepconv)

set_target_properties(sepconv PROPERTIES INSTALL_RPATH "$ORIGIN/../${sepconv_lib}")
install(TARGETS sepconv RUNTIME DESTINATION bin)
install(FILES $<TARGET_FILE:Halide::Halide> DESTINATION ${sepconv_lib})
# Halide's autoschedulers, which the tool looks for beside Halide's library.
foreach(autoscheduler Adams2019 Anderson2021 Li2018 Mullapudi2016)
    install(FILES $<TARGET_FILE:Halide::${autoscheduler}> DESTINATION ${sepconv_lib})
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/include/sepconv DESTINATION include
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/runtime/src/ DESTINATION share/sepconv/runtime
    FILES_MATCHING PATTERN "*.c" PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/tuning/ DESTINATION share/sepconv/tuning
    FILES_MATCHING PATTERN "*.json")
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION share/doc/sepconv)

configure_package_config_file(
    ${PROJECT_SOURCE_DIR}/cmake/sepconvConfig.cmake.in
    ${PROJECT_BINARY_DIR}/sepconvConfig.cmake
    INSTALL_DESTINATION ${sepconv_package})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/sepconvConfigVersion.cmake
    COMPATIBILITY SameMinorVersion
    ARCH_INDEPENDENT)  # Projects for other machines use this package.
install(FILES
    ${PROJECT_BINARY_DIR}/sepconvConfig.cmake
    ${PROJECT_BINARY_DIR}/sepconvConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/SepconvAddModel.cmake
    DESTINATION ${sepconv_package})
