#!/usr/bin/env bash
# The long form of the tests of exact bounds: what scripts/test.sh pairs, here everything with
# everything, which takes long. scripts/test.sh comes first, for it builds and writes the models.
# usage: scripts/bounds.sh [RANDOM MODELS]       (default: 200)
#   every kernel of the test list as it ships, for every ISA that this machine runs
#   every model and operator, and random models, with its buffers flush against either inaccessible
#   page, at every alignment of 4 bytes, on one and two threads, in its own and in a caller's arena
source "$(dirname "$0")/common.sh"

step "kernels as they ship"
"$build/bin/schedules_ahead_of_time_test" --gtest_brief=1 --gtest_filter='Full/*'

export SEPCONV_TEST_SETUPS=all
step "models and operators"
"$ctest" --test-dir "$build" -j2 --output-on-failure -R '^(zoo|model|operators)_'

step "random models"
"$test_venv/bin/python" -W ignore "$root/tests/models/random_models.py" \
    --tool "$build/bin/sepconv" --work "$build/bounds" --seed 1000 --count "${1:-200}"
