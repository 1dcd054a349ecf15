#!/usr/bin/env bash
# Installs what is missing: Debian packages, and virtual environments with pinned versions.
# usage: scripts/setup.sh [build|demo|test|check|bench]...     (default: build)
#   build  compiler, libraries, build/venv with Halide, CMake and ONNX's .proto
#   demo   build, and the OpenCV modules of examples/face_detection
#   test   demo, and build/test-venv with ONNX Runtime
#   check  clang-format, clang-tidy
#   bench  build, and the libraries that blocks are compared with
# Needs a Debian 12 and root or sudo; asks for neither when everything is there.
source "$(dirname "$0")/common.sh"

packages=(binutils ca-certificates g++ git libcli11-dev libfmt-dev libprotobuf-dev libxxhash-dev
          ninja-build nlohmann-json3-dev protobuf-compiler python3-venv)
with_demo=0
with_test=0
for wanted in "${@:-build}"; do
    case $wanted in
        build) ;;
        demo) with_demo=1 ;;
        test) with_demo=1 with_test=1 ;;
        check) packages+=(clang-format clang-tidy python3) ;;
        bench) packages+=(libdnnl-dev libpthreadpool-dev libxnnpack-dev) ;;
        *) fail "usage: scripts/setup.sh [build|demo|test|check|bench]..." ;;
    esac
done
[ $with_demo = 1 ] && packages+=(libopencv-imgcodecs-dev libopencv-imgproc-dev)
# Cross compilers, emulators and LLVM's tools: other targets are built and run, not only compiled.
# clang with its run-time libraries: fuzzing and sanitizers.
[ $with_test = 1 ] && packages+=(clang g++-aarch64-linux-gnu g++-arm-linux-gnueabihf
                                 g++-riscv64-linux-gnu gcc-mingw-w64-x86-64-posix libclang-rt-14-dev
                                 libgmock-dev libgtest-dev lld-19 llvm-19 ocl-icd-libopencl1
                                 pocl-opencl-icd qemu-user wine64)

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' ||
            missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "root or sudo is needed to install: ${missing[*]}"
        as_root=(sudo "${as_root[@]}")
    fi
    step "installing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" apt-get install -y -q --no-install-recommends "${missing[@]}"
}

mkdir -p "$build"
install_packages
# Only files are taken out of these wheels (headers, a library, a .proto, programs): no dependencies.
environment "$venv" "$root/scripts/requirements.txt" --no-deps
if [ $with_test = 1 ]; then
    environment "$test_venv" "$root/scripts/requirements-test.txt"
fi
