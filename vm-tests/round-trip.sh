#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Carries a series to another base and back, twice, in a copy of the project: no hand, and the same bytes.
# Usage: vm-tests/round-trip.sh [SERIES [BASE]]    (after `make base` of both bases; default: zerocopy pre-devmem)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
series=${1:-zerocopy} onto=${2:-pre-devmem}
txgen=$(realpath "${TXGEN:-$root/target/release/txgen}")
home=$(sed -n 's/^base = "\(.*\)".*/\1/p' "$root/series/$series/series.toml")
dir=$(mktemp -d "${TMPDIR:-/tmp}/round-trip.XXXXXX")
trap 'rm -rf "$dir"' EXIT

mkdir "$dir/project"
git -C "$root" ls-files -z --cached --others --exclude-standard | tar -C "$root" --null -T - -c | tar -C "$dir/project" -x
cd "$dir/project"

# The branch has to be where txgen put it.
"$txgen" apply "$series" >/dev/null
carry() { "$txgen" rebase "$series" --onto "$1" | grep -v '^ '; }
same() {
	diff -r "$1" series && return
	echo "round-trip: series/ is not what it was $2" >&2
	exit 1
}
cp -r series "$dir/home"
carry "$onto"
cp -r series "$dir/there"
carry "$home"
same "$dir/home" "before it left $home"
carry "$onto" >/dev/null
same "$dir/there" "on $onto the first time"
carry "$home" >/dev/null
same "$dir/home" "before it left $home again"

count() { cat "$@" 2>/dev/null | wc -l; }
records="series/$series/bases/$onto"
echo "round-trip: $home -> $onto -> $home, twice: the same bytes; $(count "$records"/*) lines in $records," \
	"$(cat "$records"/* | grep -c '^[-+][^-+]' || true) of them changes"
