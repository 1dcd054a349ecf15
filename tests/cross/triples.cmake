# The triples that a project gets by what its toolchain file says: cmake -P triples.cmake
include(${CMAKE_CURRENT_LIST_DIR}/../../cmake/SepconvAddModel.cmake)

# expect(TRIPLE VARIABLE VALUE ..)
function(expect triple)
    while(ARGN)
        list(POP_FRONT ARGN name value)
        set(${name} "${value}")
    endwhile()
    _sepconv_target_triple(found)
    if(NOT found STREQUAL triple)
        message(SEND_ERROR "expected '${triple}', got '${found}' for ${CMAKE_SYSTEM_NAME} on "
            "${CMAKE_SYSTEM_PROCESSOR} ${CMAKE_ANDROID_ARCH_ABI} ${CMAKE_OSX_ARCHITECTURES}")
    endif()
endfunction()

expect(x86-64-linux CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR x86_64)
expect(arm-64-linux CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR aarch64)
expect(arm-32-linux CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR armv7l)
expect(arm-32-linux CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR armv7-a)
expect(x86-64-windows CMAKE_SYSTEM_NAME Windows CMAKE_SYSTEM_PROCESSOR AMD64)
expect(arm-64-osx CMAKE_SYSTEM_NAME Darwin CMAKE_SYSTEM_PROCESSOR arm64)
expect(x86-64-osx CMAKE_SYSTEM_NAME Darwin CMAKE_SYSTEM_PROCESSOR arm64
    CMAKE_OSX_ARCHITECTURES x86_64)
# The NDK's own toolchain file and CMake's support of it set the ABI.
expect(arm-64-android CMAKE_SYSTEM_NAME Android CMAKE_SYSTEM_PROCESSOR aarch64
    CMAKE_ANDROID_ARCH_ABI arm64-v8a)
expect(arm-32-android CMAKE_SYSTEM_NAME Android CMAKE_SYSTEM_PROCESSOR armv7-a
    CMAKE_ANDROID_ARCH_ABI armeabi-v7a)
expect(x86-64-android CMAKE_SYSTEM_NAME Android CMAKE_SYSTEM_PROCESSOR x86_64
    CMAKE_ANDROID_ARCH_ABI x86_64)
expect(riscv-64-linux CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR riscv64)
# No guess.
expect("" CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR ppc64le)
expect("" CMAKE_SYSTEM_NAME FreeBSD CMAKE_SYSTEM_PROCESSOR x86_64)
expect("" CMAKE_SYSTEM_NAME Linux CMAKE_SYSTEM_PROCESSOR arm64_32)
