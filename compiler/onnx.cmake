# sepconv_onnx_proto: the protobuf classes of ONNX, generated into the build folder from the .proto
# of the pinned onnx wheel. SEPCONV_ONNX_PROTO names that file (onnx/onnx.proto of the wheel); unset,
# it is looked for in the Python environment. Include as "onnx/onnx.pb.h".
set(SEPCONV_ONNX_VERSION 1.23.2)
set(SEPCONV_ONNX_PROTO "" CACHE FILEPATH "onnx.proto of the onnx ${SEPCONV_ONNX_VERSION} wheel")

find_package(Protobuf REQUIRED)

if(NOT SEPCONV_ONNX_PROTO)
    find_package(Python3 COMPONENTS Interpreter)
    if(Python3_FOUND)
        execute_process(
            COMMAND "${Python3_EXECUTABLE}" -c
                "import importlib.util as u; print(u.find_spec('onnx').submodule_search_locations[0])"
            OUTPUT_VARIABLE sepconv_onnx_folder
            OUTPUT_STRIP_TRAILING_WHITESPACE
            ERROR_QUIET)
        if(sepconv_onnx_folder AND EXISTS "${sepconv_onnx_folder}/onnx.proto")
            set_property(CACHE SEPCONV_ONNX_PROTO
                PROPERTY VALUE "${sepconv_onnx_folder}/onnx.proto")
        endif()
    endif()
endif()
if(NOT EXISTS "${SEPCONV_ONNX_PROTO}")
    message(FATAL_ERROR
        "SEPCONV_ONNX_PROTO must name onnx.proto of the wheel onnx==${SEPCONV_ONNX_VERSION} "
        "(python3 -m pip install onnx==${SEPCONV_ONNX_VERSION}); it is '${SEPCONV_ONNX_PROTO}'")
endif()

get_filename_component(sepconv_onnx_proto_folder "${SEPCONV_ONNX_PROTO}" DIRECTORY)
set(sepconv_onnx_generated "${CMAKE_CURRENT_BINARY_DIR}/generated")
file(MAKE_DIRECTORY "${sepconv_onnx_generated}/onnx")
add_custom_command(
    OUTPUT "${sepconv_onnx_generated}/onnx/onnx.pb.cc" "${sepconv_onnx_generated}/onnx/onnx.pb.h"
    COMMAND protobuf::protoc "--proto_path=${sepconv_onnx_proto_folder}"
        "--cpp_out=${sepconv_onnx_generated}/onnx" onnx.proto
    DEPENDS "${SEPCONV_ONNX_PROTO}"
    COMMENT "Generating the classes of onnx.proto"
    VERBATIM)

add_library(sepconv_onnx_proto STATIC "${sepconv_onnx_generated}/onnx/onnx.pb.cc")
# The file asks for the lite runtime. Generated code is not held to our warnings.
target_include_directories(sepconv_onnx_proto SYSTEM PUBLIC "${sepconv_onnx_generated}")
target_compile_options(sepconv_onnx_proto PRIVATE -w)
target_compile_features(sepconv_onnx_proto PUBLIC cxx_std_17)
target_link_libraries(sepconv_onnx_proto PUBLIC protobuf::libprotobuf-lite)
