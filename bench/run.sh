#!/usr/bin/env bash
# The benchmark: whole models or blocks against other engines and the FMA peak; or where the time of
# our models goes.
# usage: bench/run.sh [--suite models|blocks|where|gpu] [OPTION]...
#   --suite models   (default) bench/models.py: [--threads N] [--isa ISA] [--models NAME...] ...
#   --suite blocks   bench/blocks.sh with the same options
#   --suite where    bench/where.py: each block of our models against its limit; [--models NAME...] ...
#   --suite gpu      bench/gpu.py: separable blocks beside cuDNN; exit status 2 without a CUDA device
# Results go to build/bench; `bench/run.sh --suite SUITE --help` lists the options.
source "$(dirname "$0")/../scripts/common.sh"
cd "$root"

suite=models
options=()
while [ $# != 0 ]; do
    case $1 in
        --suite) suite=${2:?--suite: expected models, blocks, where or gpu} && shift 2 ;;
        --suite=*) suite=${1#--suite=} && shift ;;
        *) options+=("$1") && shift ;;
    esac
done
case $suite in
    models | where) ;;
    gpu) python3 "$root/bench/model_suite/cuda_device.py" ;;  # Before its large installation.
    blocks) exec "$root/bench/blocks.sh" "${options[@]}" ;;
    *) fail "--suite: expected models, blocks, where or gpu, got '$suite'" ;;
esac

[ -x "$build/bin/sepconv" ] || "$root/scripts/build.sh" >&2
if [ "$suite" = gpu ]; then
    environment "$build/bench-gpu-venv" "$root/bench/requirements-gpu.txt" --quiet
    exec "$build/bench-gpu-venv/bin/python" "$root/bench/gpu.py" --build "$build" "${options[@]}"
fi
environment "$build/bench-venv" "$root/bench/requirements.txt" --quiet --no-deps
if [ "$suite" = models ]; then
    environment "$build/bench-convert-venv" "$root/bench/requirements-convert.txt" \
        --quiet --no-deps --ignore-requires-python
fi
"$root/scripts/fetch_models.sh" >&2
exec "$build/bench-venv/bin/python" "$root/bench/$suite.py" --build "$build" "${options[@]}"
