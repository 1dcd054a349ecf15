#!/usr/bin/env bash
# Fuzzes what reads models (compiler/plan_model.h) with libFuzzer, ASan and UBSan, from seeds and a
# dictionary that the first run makes; what it finds is kept in build/fuzz/corpus.
# usage: scripts/fuzz.sh [LIBFUZZER OPTION]...   (default: -runs=20000000 -max_total_time=7200)
#        scripts/fuzz.sh short                   30 s from the seeds alone, as scripts/test.sh does
# What fails is written to build/fuzz/crash-*; it becomes a case of
# tests/compiler/hostile_models_test.cpp.
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" test
"$root/scripts/fetch_models.sh"
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

step "making seeds"
"$test_venv/bin/python" "$root/tests/fuzz/make_seeds.py" "$work" "$build"/models/*.onnx
corpus=(corpus seeds)
if [ "${1:-}" = short ]; then
    rm -rf "$work/short"
    mkdir "$work/short"
    corpus=(short seeds)
    set -- -seed=1 -max_total_time=30
elif [ $# = 0 ]; then
    set -- -runs=20000000 -max_total_time=7200
fi
step "fuzzing"
cd "$work"
# A model is refused or planned within 5 s of its own time (plan_fuzzer.cpp; -timeout is for one that
# waits). What 8 KB may make of constants is 128 MiB in all (compiler/limits.h), so no allocation is
# larger; the process's limit has room for that, the corpus and ASan's quarantine.
UBSAN_OPTIONS=print_stacktrace=1 exec build/bin/plan_fuzzer "${corpus[@]}" \
    -dict=words.dict -max_len=8192 -timeout=600 -rss_limit_mb=1536 -malloc_limit_mb=300 \
    -print_final_stats=1 "$@"
