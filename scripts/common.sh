# Sourced by the other scripts: the folders, progress lines, and the files that the environments hold.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${SEPCONV_BUILD:-$root/build}
venv=$build/venv
test_venv=$build/test-venv
cmake=$venv/bin/cmake
ctest=$venv/bin/ctest

step() { printf '==> %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The one site-packages folder of the environment at $1.
site_packages() {
    local folder
    for folder in "$1"/lib/python3*/site-packages; do
        [ -d "$folder" ] && printf '%s\n' "$folder" && return
    done
    fail "no site-packages under $1: run scripts/setup.sh"
}
