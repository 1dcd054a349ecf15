#!/usr/bin/env bash
# From nothing to a face found in a photo: set-up, build, a real model compiled to a static library,
# an OpenCV program that links it, and a picture in build/demo/astronaut_faces.png.
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" demo
"$root/scripts/build.sh" -DSEPCONV_DEVELOPER=OFF -DBUILD_TESTING=OFF
"$root/scripts/fetch_models.sh" centerface.onnx astronaut.png

# The best variant that this machine runs: the demo needs no other.
best_isa() {
    local flags
    flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
    has() { local flag; for flag; do [[ $flags == *" $flag "* ]] || return 1; done; }
    if has avx512f avx512cd avx512bw avx512dq avx512vl fma; then
        echo avx512
    elif has avx2 fma; then
        echo avx2
    else
        echo sse41
    fi
}

demo=$build/demo
isa=$(best_isa)
step "compiling centerface.onnx at 512x512 for $isa, and examples/face_detection against the package"
"$cmake" -S "$root/examples/face_detection" -B "$demo" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$build/install" \
    -DCENTERFACE_MODEL="$build/models/centerface.onnx" \
    -DCENTERFACE_ISA="$isa"
"$cmake" --build "$demo"

step "looking for faces"
"$demo/face_detection" "$build/models/astronaut.png" "$demo/astronaut_faces.png"
library=$demo/centerface/libcenterface.a
printf 'library: %s bytes (%s)\n' "$(stat -c %s "$library")" "${library#"$root"/}"
printf 'picture: %s\n' "${demo#"$root"/}/astronaut_faces.png"
