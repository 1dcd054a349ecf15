#!/usr/bin/env bash
# The benchmark: blocks against the FMA peak, or whole models against other engines.
# usage: bench/run.sh [--suite models|blocks] [OPTION]...
#   --suite models   (default) bench/models.py: [--threads N] [--isa ISA] [--models NAME...] ...
#   --suite blocks   bench/blocks.sh with the same options
# Results go to build/bench; `bench/run.sh --suite SUITE --help` lists the options.
source "$(dirname "$0")/../scripts/common.sh"
cd "$root"

suite=models
options=()
while [ $# != 0 ]; do
    case $1 in
        --suite) suite=${2:?--suite: expected models or blocks} && shift 2 ;;
        --suite=*) suite=${1#--suite=} && shift ;;
        *) options+=("$1") && shift ;;
    esac
done
case $suite in
    models) ;;
    blocks) exec "$root/bench/blocks.sh" "${options[@]}" ;;
    *) fail "--suite: expected models or blocks, got '$suite'" ;;
esac

# environment FOLDER REQUIREMENTS [PIP OPTION]...: made anew when the requirements have changed.
environment() {
    local folder=$1 requirements=$2 stamp
    shift 2
    stamp=$(sha256sum "$requirements" | cut -d' ' -f1)
    [ "$(cat "$folder/stamp" 2>/dev/null || true)" = "$stamp" ] && return
    step "making ${folder#"$root"/} from ${requirements#"$root"/}" >&2
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --disable-pip-version-check --progress-bar off \
        --quiet --only-binary :all: --no-deps "$@" -r "$requirements"
    printf '%s\n' "$stamp" >"$folder/stamp"
}

[ -x "$build/bin/sepconv" ] || "$root/scripts/build.sh" >&2
environment "$build/bench-venv" "$root/bench/requirements.txt"
environment "$build/bench-convert-venv" "$root/bench/requirements-convert.txt" \
    --ignore-requires-python
"$root/scripts/fetch_models.sh" >&2
exec "$build/bench-venv/bin/python" "$root/bench/models.py" --build "$build" "${options[@]}"
