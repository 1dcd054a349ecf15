#!/usr/bin/env bash
# Fuzzes what reads models (compiler/plan_model.h) with libFuzzer, ASan and UBSan, from seeds and a
# dictionary that are made by the first run; what it finds is kept in build/fuzz/corpus.
# usage: scripts/fuzz.sh [LIBFUZZER OPTION]...     (default: -runs=20000000 -max_total_time=7200)
#        scripts/fuzz.sh build                     only builds
# A crash is written to build/fuzz/crash-*; it becomes a case of tests/compiler/hostile_models_test.cpp.
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" test
packages=$(site_packages "$venv")
work=$build/fuzz
mkdir -p "$work/corpus"

"$cmake" -S "$root" -B "$work/build" -G Ninja \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ \
    -DCMAKE_PREFIX_PATH="$packages/halide/lib64/cmake" \
    -DSEPCONV_ONNX_PROTO="$packages/onnx/onnx-ml.proto" \
    -DSEPCONV_FUZZ=ON -DBUILD_TESTING=OFF >"$work/configure.log" ||
    { cat "$work/configure.log" >&2; exit 1; }
"$cmake" --build "$work/build" --target plan_fuzzer
[ "${1:-}" = build ] && exit

if [ ! -f "$work/words.dict" ]; then
    step "making seeds"
    "$test_venv/bin/python" "$root/tests/fuzz/make_seeds.py" "$work" "$build"/models/*.onnx
fi
[ $# -gt 0 ] || set -- -runs=20000000 -max_total_time=7200
step "fuzzing"
cd "$work"
# A model is refused or planned within 5 s and 1 GiB; what it may allocate at once is in limits.h.
UBSAN_OPTIONS=print_stacktrace=1 exec build/bin/plan_fuzzer corpus seeds \
    -dict=words.dict -max_len=8192 -timeout=5 -rss_limit_mb=1024 -malloc_limit_mb=512 \
    -print_final_stats=1 "$@"
