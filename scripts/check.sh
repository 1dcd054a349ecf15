#!/usr/bin/env bash
# Checks that need no run of the program: format, lint, direction of includes, links, shell syntax.
# usage: scripts/check.sh [--all]
#   --all  clang-tidy over every source file, not only those that differ from the main branch
source "$(dirname "$0")/common.sh"
cd "$root"

"$root/scripts/setup.sh" check
status=0
check() {
    step "$1"
    shift
    "$@" || status=1
}

# Seconds a file where Halide.h is included, so one process a core.
tidy() {
    printf '%s\0' "${tidied[@]}" |
        xargs -0 -n 1 -P "$(nproc)" clang-tidy -quiet -p "$build" 2>"$build/clang-tidy.log" ||
        { grep -v 'warnings\? generated\|^Suppressed\|^Use -header' "$build/clang-tidy.log" >&2
          return 1; }
}

mapfile -t sources < <(git ls-files '*.c' '*.cpp' '*.h' '*.hpp')
mapfile -t shell < <(git ls-files '*.sh' .ci/run)
# What clang-tidy reads; tests and examples need GoogleTest's or the installed package's headers.
product=('layer/*.cpp' 'algorithms/*.cpp' 'schedules/*.cpp' 'compiler/*.cpp')
changed() {
    git diff --name-only --diff-filter=d "$(git merge-base HEAD origin/main 2>/dev/null ||
        git rev-parse HEAD)" -- "${product[@]}"
}
if [ "${1:-}" = --all ]; then
    mapfile -t tidied < <(git ls-files "${product[@]}")
else
    mapfile -t tidied < <(changed)
fi

check "format" clang-format --dry-run -Werror "${sources[@]}"
check "direction of includes" python3 scripts/check_includes.py
check "links in Markdown" python3 scripts/check_links.py
check "speed tables" scripts/speed_table.py --check
check "operator tables" scripts/operator_table.py --check
for script in "${shell[@]}"; do
    check "syntax of $script" bash -n "$script"
done
if [ ${#tidied[@]} -gt 0 ]; then
    [ -f "$build/compile_commands.json" ] || "$root/scripts/build.sh"
    check "clang-tidy of ${#tidied[@]} files" tidy
fi
exit $status
