#!/usr/bin/env bash
# Times the blocks of tables of shapes against oneDNN, XNNPACK (scripts/setup.sh bench) and the FMA
# peak of the same run: docs/performance.md.
# usage: bench/blocks.sh [--shapes all] [--isa avx512] [--threads N] [--rounds N] [--no-peers] ...
# Tables go to build/bench; --help lists all options.
source "$(dirname "$0")/../scripts/common.sh"
cd "$root"

[ -x "$build/bin/sepconv_bench" ] || "$root/scripts/build.sh"
exec "$build/bin/sepconv_bench" "$@"
