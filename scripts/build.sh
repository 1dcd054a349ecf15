#!/usr/bin/env bash
# Configures, builds and installs sepconv into build/install; the programs are in build/bin.
# usage: scripts/build.sh [CMAKE OPTION]...
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" build
packages=$(site_packages "$venv")

step "configuring"
"$cmake" -S "$root" -B "$build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
    -DCMAKE_PREFIX_PATH="$packages/halide/lib64/cmake" \
    -DSEPCONV_ONNX_PROTO="$packages/onnx/onnx-ml.proto" \
    "$@"
step "building"
"$cmake" --build "$build"
step "installing into ${build#"$root"/}/install"
"$cmake" --install "$build" --prefix "$build/install" >"$build/install.log" ||
    { cat "$build/install.log" >&2; exit 1; }
