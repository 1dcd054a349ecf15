#!/usr/bin/env bash
# Times the blocks of a table of shapes against the FMA peak of the same run: docs/performance.md.
# usage: bench/blocks.sh [--shapes mobilenet_v1] [--isa avx512] [--rounds N] [--core N]
# Tables go to build/bench; --help lists all options.
source "$(dirname "$0")/../scripts/common.sh"
cd "$root"

[ -x "$build/bin/sepconv_bench" ] || "$root/scripts/build.sh"
exec "$build/bin/sepconv_bench" "$@"
