#!/usr/bin/env bash
# Builds the committed tree in two clones at paths of different length and compares what the two tools
# make of a layer and of a model: the same bytes. Minutes.
# usage: scripts/same_bytes.sh [FOLDER]     (default: a new one under $TMPDIR, removed at the end)
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" build
"$root/scripts/fetch_models.sh"
packages=$(site_packages "$venv")
work=${1:-}
if [ -z "$work" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
work=$(cd "$work" && pwd)

# clone FOLDER: the tool of a clone there.
clone() {
    step "building in $1"
    git clone -q "$root" "$1"
    "$cmake" -S "$1" -B "$1/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
        -DCMAKE_PREFIX_PATH="$packages/halide/lib64/cmake" \
        -DSEPCONV_ONNX_PROTO="$packages/onnx/onnx-ml.proto" >"$1.log"
    "$cmake" --build "$1/build" --target sepconv >>"$1.log" || { cat "$1.log" >&2; exit 1; }
}

# make_libraries CLONE: into CLONE.out, with a cache of its own.
make_libraries() {
    local tool=$1/build/bin/sepconv common=(--shared --quiet --cache-dir "$1.cache")
    "$tool" compile "$build/models/ppocr_cls.onnx" --input-shape x=1x3x48x192 --output "$1.out/model" \
        "${common[@]}"
    "$tool" layer separable --input 56x56x64 --out-channels 128 --kernel 3 --padding same_upper \
        --output "$1.out/layer" "${common[@]}"
}

first=$work/a second="$work/b/a checkout with a longer path"
mkdir -p "$work/b"
for folder in "$first" "$second"; do
    clone "$folder"
    step "compiling a model and a layer by it"
    make_libraries "$folder" | sed "s|^$work/||"
done
step "comparing"
diff -r "$first.out" "$second.out" || fail "two checkouts make different bytes"
printf '%s files are the same\n' "$(find "$first.out" -type f | wc -l)"
