#!/usr/bin/env bash
# The long form of the tests of exact bounds and of tasks: what scripts/test.sh pairs, here everything with
# everything, which takes long. scripts/test.sh comes first, for it builds and writes the models.
# usage: scripts/bounds.sh [RANDOM MODELS]       (default: 200)
#   every kernel of the test list as it ships, under AddressSanitizer, and asked whether its tasks
#   touch each other's words, for every ISA that this machine runs; the last for NEON too
#   every model and operator, and random models, with its buffers flush against either inaccessible
#   page, at every alignment of 4 bytes, on one and two threads, in its own and in a caller's arena
source "$(dirname "$0")/common.sh"

# all_of PROGRAM: its long form, in a process for each core.
all_of() {
    local cores shard process processes=()
    cores=$(nproc)
    for ((shard = 0; shard < cores; ++shard)); do
        GTEST_TOTAL_SHARDS=$cores GTEST_SHARD_INDEX=$shard \
            "$build/bin/$1" --gtest_brief=1 --gtest_filter='Full*' &
        processes+=($!)
    done
    for process in "${processes[@]}"; do wait "$process"; done
}

step "kernels as they ship"
all_of schedules_ahead_of_time_test

step "kernels that tell what they touch"
all_of schedules_instrumented_test

export SEPCONV_TEST_SETUPS=all
step "models and operators"
"$ctest" --test-dir "$build" -j2 --output-on-failure -R '^(zoo|model|operators)_'

step "random models"
"$test_venv/bin/python" -W ignore "$root/tests/models/random_models.py" \
    --tool "$build/bin/sepconv" --work "$build/bounds" --seed 1000 --count "${1:-200}"
