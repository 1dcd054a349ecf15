#!/usr/bin/env bash
# Builds everything and runs every test.
# usage: scripts/test.sh [CTEST OPTION]...     e.g. scripts/test.sh -L fast
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" test
"$root/scripts/fetch_models.sh"
"$root/scripts/build.sh" -DSEPCONV_DEVELOPER=ON \
    -DSEPCONV_TEST_PYTHON="$test_venv/bin/python" \
    -DSEPCONV_MODELS="$build/models"

step "testing"
exec "$ctest" --test-dir "$build" -j2 --output-on-failure "$@"
