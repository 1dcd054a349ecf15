# Defines opencv_modules: OpenCV's core, imgproc and imgcodecs.
#
# Debian keeps OpenCVConfig.cmake in a package that needs all of OpenCV (VTK, Qt and more); with the
# development packages of single modules alone, headers and libraries are looked up here.
add_library(opencv_modules INTERFACE)

find_package(OpenCV QUIET COMPONENTS core imgproc imgcodecs)
if(OpenCV_FOUND)
    target_include_directories(opencv_modules SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
    target_link_libraries(opencv_modules INTERFACE opencv_core opencv_imgproc opencv_imgcodecs)
    return()
endif()

find_path(OPENCV_INCLUDE_DIR opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
target_include_directories(opencv_modules SYSTEM INTERFACE ${OPENCV_INCLUDE_DIR})
foreach(module core imgproc imgcodecs)
    find_library(OPENCV_${module}_LIBRARY opencv_${module} REQUIRED)
    target_link_libraries(opencv_modules INTERFACE ${OPENCV_${module}_LIBRARY})
endforeach()
