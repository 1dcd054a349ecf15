# Sourced by the other scripts: the folders, progress lines, and Python environments.
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

# environment FOLDER REQUIREMENTS [PIP OPTION]...: made anew when the requirements have changed.
# Says so on stderr, as programs behind it write results to stdout.
environment() {
    local folder=$1 requirements=$2 stamp
    shift 2
    stamp=$(sha256sum "$requirements" | cut -d' ' -f1)
    [ "$(cat "$folder/stamp" 2>/dev/null || true)" = "$stamp" ] && return
    step "making ${folder#"$root"/} from ${requirements#"$root"/}" >&2
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
        --only-binary :all: "$@" -r "$requirements" >&2
    printf '%s\n' "$stamp" >"$folder/stamp"
}
