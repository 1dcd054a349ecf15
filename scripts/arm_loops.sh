#!/usr/bin/env bash
# Prints the hot loops of the blocks for arm-64 as tables in Markdown, ours and, unless --ours,
# XNNPACK's from Debian's libxnnpack0 for arm64, which it downloads to build/xnnpack-arm64.
# usage: scripts/arm_loops.sh [--ours]
source "$(dirname "$0")/common.sh"

table=$build/bin/schedules_neon_table
[ -x "$table" ] || fail "no $table: run scripts/build.sh"

# apt with an architecture, lists and a status of its own: those of the machine stay as they are.
# The sources and keys are the machine's.
download_xnnpack() {
    local folder=$1 package=libxnnpack0
    mkdir -p "$folder/lists/partial" "$folder/archives/partial"
    : >"$folder/status"
    local options=(-o "APT::Architecture=arm64" -o "APT::Architectures::=arm64"
        -o "Dir::State=$folder" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder"
        -o "APT::Sandbox::User=")
    apt-get "${options[@]}" -qq update
    (cd "$folder" && apt-get "${options[@]}" -qq download "$package:arm64")
    dpkg-deb -x "$folder"/"$package"_*_arm64.deb "$folder/root"
}

echo "### Ours"
echo
"$table"
[ "${1:-}" = "--ours" ] && exit

folder=$build/xnnpack-arm64
library=$folder/root/usr/lib/aarch64-linux-gnu/libXNNPACK.so.0
[ -f "$library" ] || download_xnnpack "$folder" >&2
echo
echo "### XNNPACK's, $(basename "$folder"/libxnnpack0_*_arm64.deb .deb)"
echo
"$table" "$library" f32_gemm_minmax f32_igemm_minmax f32_dwconv_minmax
