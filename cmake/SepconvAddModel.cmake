# Compiled models and layers as ordinary static libraries.
#
#   sepconv_add_model(TARGET MODEL file.onnx
#       [NAME name]                  prefix of library, header and functions; default: TARGET
#       [INPUT_SHAPE input=1x3x512x512 ...]
#       [ISA sse41|avx2|avx512 ...]  default: all of the target
#       [LAYOUT nchw|nhwc]           of the caller's 4-D tensors; default: nchw
#       [TARGET_TRIPLE triple])      default: this machine's
#
#   sepconv_add_layer(TARGET OPERATOR name
#       [NAME ..] [ISA ..] [LAYOUT ..] [TARGET_TRIPLE ..]
#       [ARGS --input 112x112x32 --out-channels 64 --kernel 3 ...])   as `sepconv layer` takes them
#
# TARGET is a static library with NAME.h on the include path and the runtime inside. The report
# (NAME.json, NAME.html) lies beside the library in ${CMAKE_CURRENT_BINARY_DIR}/NAME.
# The project must have enabled C or C++.

include_guard(GLOBAL)

function(sepconv_add_model target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MODEL;NAME;LAYOUT;TARGET_TRIPLE" "INPUT_SHAPE;ISA")
    _sepconv_check_arguments(sepconv_add_model ${target} MODEL)
    get_filename_component(model "${arg_MODEL}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    set(arguments compile "${model}")
    foreach(shape IN LISTS arg_INPUT_SHAPE)
        list(APPEND arguments --input-shape "${shape}")
    endforeach()
    _sepconv_add_library(${target} "${model}" ${arguments})
endfunction()

function(sepconv_add_layer target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OPERATOR;NAME;LAYOUT;TARGET_TRIPLE" "ISA;ARGS")
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

# _sepconv_add_library(TARGET DEPENDS ARGUMENT...): runs the tool when a file of DEPENDS or the tool
# itself is newer. Reads the caller's arg_NAME, arg_ISA, arg_LAYOUT and arg_TARGET_TRIPLE.
function(_sepconv_add_library target depends)
    set(folder "${CMAKE_CURRENT_BINARY_DIR}/${arg_NAME}")
    set(library "${folder}/lib${arg_NAME}.a")
    set(header "${folder}/${arg_NAME}.h")
    set(options --output "${folder}" --name ${arg_NAME})
    if(arg_ISA)
        list(JOIN arg_ISA "," isa)
        list(APPEND options --isa ${isa})
    endif()
    if(arg_LAYOUT)
        list(APPEND options --layout ${arg_LAYOUT})
    endif()
    if(arg_TARGET_TRIPLE)
        list(APPEND options --target ${arg_TARGET_TRIPLE})
    endif()
    if(CMAKE_C_COMPILER)
        list(APPEND options --cc "${CMAKE_C_COMPILER}")
    endif()
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
        $<$<NOT:$<PLATFORM_ID:Windows>>:m>)
    add_dependencies(${target} ${target}_sepconv)
endfunction()
