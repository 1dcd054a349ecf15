# Compiled models and layers as ordinary static libraries.
#
#   sepconv_add_model(TARGET MODEL file.onnx
#       [NAME name]                  prefix of library, header and functions; default: TARGET
#       [INPUT_SHAPE input=1x3x512x512 ...]
#       [ISA avx2|neon ...]          default: the usual ones of the target
#       [DEVICE cpu|cuda|opencl ...] where it can run; default: cpu
#       [LAYOUT nchw|nhwc]           of the caller's 4-D tensors; default: nchw
#       [TARGET_TRIPLE triple]       default: the machine that the project is for
#       [CC_FLAG flag ...])          of the C compiler for plan and runtime: -fsanitize=thread
#
#   sepconv_add_layer(TARGET OPERATOR name
#       [NAME ..] [ISA ..] [DEVICE ..] [LAYOUT ..] [TARGET_TRIPLE ..] [CC_FLAG ..]
#       [ARGS --input 112x112x32 --out-channels 64 --kernel 3 ...])   as `sepconv layer` takes them
#
# TARGET is a static library with NAME.h on the include path and the runtime inside. The report
# (NAME.json, NAME.html) lies beside the library in ${CMAKE_CURRENT_BINARY_DIR}/NAME.
# The project must have enabled C; for this machine C++ is enough.
#
# For this machine the tool makes the whole library. For another one it writes the kernels as objects
# and all else as C, and the project's own toolchain, with all of its flags, makes the library.

include_guard(GLOBAL)

function(sepconv_add_model target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODEL;NAME;LAYOUT;TARGET_TRIPLE" "INPUT_SHAPE;ISA;DEVICE;CC_FLAG")
    _sepconv_check_arguments(sepconv_add_model ${target} MODEL)
    get_filename_component(model "${arg_MODEL}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    set(arguments compile "${model}")
    foreach(shape IN LISTS arg_INPUT_SHAPE)
        list(APPEND arguments --input-shape "${shape}")
    endforeach()
    _sepconv_add_library(${target} "${model}" ${arguments})
endfunction()

function(sepconv_add_layer target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OPERATOR;NAME;LAYOUT;TARGET_TRIPLE" "ISA;DEVICE;ARGS;CC_FLAG")
    _sepconv_check_arguments(sepconv_add_layer ${target} OPERATOR)
    # Weights given as files: a change of theirs compiles the layer again.
    set(files "")
    foreach(value IN LISTS arg_ARGS)
        if(value MATCHES "\\.npy$")
            get_filename_component(file "${value}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
            list(APPEND files "${file}")
        endif()
    endforeach()
    _sepconv_add_library(${target} "${files}" layer ${arg_OPERATOR} ${arg_ARGS})
endfunction()

# Reads the arg_* variables of its caller. A macro, so that its errors are reported at the call.
macro(_sepconv_check_arguments function target required)
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "${function}(${target}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_${required})
        message(FATAL_ERROR "${function}(${target}): ${required} is missing")
    endif()
    if(NOT arg_NAME)
        set(arg_NAME ${target})
    endif()
    if(NOT arg_NAME MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
        message(FATAL_ERROR "${function}(${target}): NAME must be a C identifier, not ${arg_NAME}")
    endif()
endmacro()

# The options that both ways share. Reads the caller's arg_* variables.
macro(_sepconv_set_options folder)
    set(options --output "${folder}" --name ${arg_NAME})
    if(arg_ISA)
        list(JOIN arg_ISA "," isa)
        list(APPEND options --isa ${isa})
    endif()
    if(arg_DEVICE)
        list(JOIN arg_DEVICE "," devices)
        list(APPEND options --device ${devices})
    endif()
    if(arg_LAYOUT)
        list(APPEND options --layout ${arg_LAYOUT})
    endif()
    if(CMAKE_C_COMPILER)
        list(APPEND options --cc "${CMAKE_C_COMPILER}")
        # `zig cc` is a compiler of two words.
        separate_arguments(words UNIX_COMMAND "${CMAKE_C_COMPILER_ARG1}")
        if(CMAKE_C_COMPILER_TARGET)
            list(APPEND words "${CMAKE_C_COMPILE_OPTIONS_TARGET}${CMAKE_C_COMPILER_TARGET}")
        endif()
        foreach(word IN LISTS words)
            list(APPEND options "--cc-flag=${word}")
        endforeach()
    endif()
    foreach(word IN LISTS arg_CC_FLAG)
        list(APPEND options "--cc-flag=${word}")
    endforeach()
endmacro()

# _sepconv_add_library(TARGET DEPENDS ARGUMENT...): runs the tool when a file of DEPENDS or the tool
# itself is newer. Reads the caller's arg_* variables.
function(_sepconv_add_library target depends)
    _sepconv_triple(host "${CMAKE_HOST_SYSTEM_NAME}" "${CMAKE_HOST_SYSTEM_PROCESSOR}")
    set(triple "${arg_TARGET_TRIPLE}")
    if(NOT triple AND CMAKE_CROSSCOMPILING)
        _sepconv_target_triple(triple)
        if(NOT triple)
            message(FATAL_ERROR "sepconv: ${target}: TARGET_TRIPLE is needed for "
                "${CMAKE_SYSTEM_NAME} on ${CMAKE_SYSTEM_PROCESSOR}; "
                "`sepconv compile --help` lists what is known")
        endif()
    endif()
    if(triple AND NOT triple STREQUAL host)
        _sepconv_add_sources(${target} "${depends}" ${triple} ${ARGN})
    else()
        _sepconv_add_archive(${target} "${depends}" ${ARGN})
    endif()
endfunction()

# A system and processor as CMake names them, as the tool names the machine; "" if it is not known.
function(_sepconv_triple result system processor)
    set(systems Linux linux Android android Darwin osx Windows windows)
    set(processors
        "^(x86_64|AMD64|amd64)$" x86-64
        "^(aarch64|arm64|ARM64|arm64-v8a)$" arm-64
        "^(armv7.*|armv8l|arm|armeabi-v7a)$" arm-32
        "^riscv64$" riscv-64)
    set(${result} "" PARENT_SCOPE)
    list(FIND systems "${system}" at)
    if(at EQUAL -1)
        return()
    endif()
    math(EXPR at "${at} + 1")
    list(GET systems ${at} system)
    while(processors)
        list(POP_FRONT processors pattern architecture)
        if(processor MATCHES "${pattern}")
            set(${result} "${architecture}-${system}" PARENT_SCOPE)
        endif()
    endwhile()
endfunction()

# The machine that the project is for.
function(_sepconv_target_triple result)
    set(processor "${CMAKE_SYSTEM_PROCESSOR}")
    if(CMAKE_SYSTEM_NAME STREQUAL Android AND CMAKE_ANDROID_ARCH_ABI)
        set(processor "${CMAKE_ANDROID_ARCH_ABI}")
    elseif(CMAKE_SYSTEM_NAME STREQUAL Darwin AND CMAKE_OSX_ARCHITECTURES)
        list(LENGTH CMAKE_OSX_ARCHITECTURES count)
        if(NOT count EQUAL 1)
            message(FATAL_ERROR "sepconv: one architecture a build, not ${CMAKE_OSX_ARCHITECTURES}; "
                "lipo joins the libraries")
        endif()
        set(processor "${CMAKE_OSX_ARCHITECTURES}")
    endif()
    _sepconv_triple(triple "${CMAKE_SYSTEM_NAME}" "${processor}")
    set(${result} "${triple}" PARENT_SCOPE)
endfunction()

# For this machine.
function(_sepconv_add_archive target depends)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}")
    set(library "${folder}/lib${arg_NAME}.a")
    set(header "${folder}/${arg_NAME}.h")
    _sepconv_set_options("${folder}")
    # In the terminal: the tool shows its progress.
    add_custom_command(
        OUTPUT "${library}" "${header}"
        COMMAND "${SEPCONV_TOOL}" ${ARGN} ${options}
        DEPENDS ${depends} "${SEPCONV_TOOL}"
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        COMMENT "sepconv: lib${arg_NAME}.a"
        USES_TERMINAL
        VERBATIM)
    add_custom_target(${target}_sepconv DEPENDS "${library}" "${header}")

    # An imported target's include folder must be there when CMake generates.
    file(MAKE_DIRECTORY "${folder}")
    add_library(${target} STATIC IMPORTED GLOBAL)
    set_target_properties(${target} PROPERTIES
        IMPORTED_LOCATION "${library}"
        INTERFACE_INCLUDE_DIRECTORIES "${folder}")
    target_link_libraries(${target} INTERFACE sepconv::headers Threads::Threads
        $<$<NOT:$<PLATFORM_ID:Windows>>:m> ${CMAKE_DL_LIBS})
    add_dependencies(${target} ${target}_sepconv)
endfunction()

# For another machine.
function(_sepconv_add_sources target depends triple)
    if(NOT CMAKE_C_COMPILER)
        message(FATAL_ERROR "sepconv: ${target}: a library for ${triple} needs C among the "
            "languages of project()")
    endif()
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}")
    set(header "${folder}/${arg_NAME}.h")
    set(plan "${folder}/${arg_NAME}.c")
    set(weights "${folder}/${arg_NAME}_weights.c")
    set(weights_data "${folder}/${arg_NAME}_weights.bin")
    # ELF objects can be joined to one, others cannot.
    if(triple MATCHES "-(osx|windows)")
        set(kernels "${folder}/lib${arg_NAME}_kernels.a")
    else()
        set(kernels "${folder}/${arg_NAME}_kernels.o")
    endif()
    _sepconv_set_options("${folder}")
    add_custom_command(
        OUTPUT "${plan}" "${weights}" "${weights_data}" "${kernels}" "${header}"
        COMMAND "${SEPCONV_TOOL}" ${ARGN} ${options} --target ${triple} --emit sources
        DEPENDS ${depends} "${SEPCONV_TOOL}"
        WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
        COMMENT "sepconv: ${arg_NAME} for ${triple}"
        USES_TERMINAL
        VERBATIM)
    add_custom_target(${target}_sepconv DEPENDS
        "${plan}" "${weights}" "${weights_data}" "${kernels}" "${header}")

    file(GLOB runtime CONFIGURE_DEPENDS "${SEPCONV_RUNTIME_SOURCES}/*.c")
    if(NOT arg_DEVICE MATCHES "cuda|opencl")
        # What opens a device's driver is of no use to the variants for CPUs.
        list(FILTER runtime EXCLUDE REGEX "/device[^/]*\\.c$")
    endif()
    if(NOT runtime)
        message(FATAL_ERROR "sepconv: ${target}: no sources of the runtime in "
            "SEPCONV_RUNTIME_SOURCES, '${SEPCONV_RUNTIME_SOURCES}'")
    endif()
    add_library(${target} STATIC "${plan}" "${weights}" ${runtime})
    set_target_properties(${target} PROPERTIES
        OUTPUT_NAME ${arg_NAME}
        C_STANDARD 11
        C_EXTENSIONS OFF
        POSITION_INDEPENDENT_CODE ON)
    # Link-time optimisation does not see a symbol that assembler defines.
    set_source_files_properties("${weights}" PROPERTIES
        OBJECT_DEPENDS "${weights_data}"
        COMPILE_OPTIONS -fno-lto)
    target_compile_options(${target} PRIVATE ${arg_CC_FLAG})
    target_include_directories(${target} PUBLIC "${folder}")
    target_link_libraries(${target} PUBLIC sepconv::headers Threads::Threads
        $<$<NOT:$<PLATFORM_ID:Windows>>:m> ${CMAKE_DL_LIBS})
    if(kernels MATCHES "\\.o$")
        target_sources(${target} PRIVATE "${kernels}")
        set_source_files_properties("${kernels}" PROPERTIES EXTERNAL_OBJECT TRUE)
    else()
        target_link_libraries(${target} PUBLIC "${kernels}")
    endif()
    add_dependencies(${target} ${target}_sepconv)
endfunction()
