#!/usr/bin/env bash
# Runs a small network a million times (CONTRIBUTING.md): every answer is compared, nothing may grow.
# usage: scripts/soak.sh [RUNS]     (default: 1000000)
source "$(dirname "$0")/common.sh"

"$root/scripts/setup.sh" test
"$root/scripts/build.sh"
step "soaking"
exec "$test_venv/bin/python" -B "$root/tests/models/soak.py" "$build/bin/sepconv" cc \
    "$build/soak" "${1:-1000000}"
