#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How other tools carry a series to another base: conflicts, results that differ from txgen's, and time.
# Usage: vm-tests/compare-rebase.sh [SERIES [BASE]]    (after `make base BASE=...`; default: zerocopy pre-devmem)
#
# Every patch is given to each tool by itself, on the parent it has in txgen's result, so that one conflict does not
# hide another. "differs" is a result without conflict that is not the tree which txgen made. The whole series is timed
# as each tool would do it in practice; git rebase stops at conflicts, which are then filled in from txgen's result.
# What a semantic patch makes in the series is part of the commits that the other tools get, and patches that only the
# other base has are there for all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
series=${1:-zerocopy} onto=${2:-pre-devmem}
txgen=${TXGEN:-$here/../target/release/txgen}
cache=${TXGEN_CACHE:-$HOME/.cache/txgen}
cd "$here/.."
home=$(sed -n 's/^base = "\(.*\)".*/\1/p' "series/$series/series.toml")
dir=$(mktemp -d "${TMPDIR:-/tmp}/compare-rebase.XXXXXX")
trap 'rm -rf "$dir"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b.invalid GIT_COMMITTER_NAME=a \
	GIT_COMMITTER_EMAIL=a@b.invalid GIT_EDITOR=true

now() { date +%s%N; }
ms() { echo $((($(now) - $1) / 1000000)); }

git clone -q --bare --shared "$cache/linux.git" "$dir/linux.git"
git() { command git -c advice.mergeConflict=false -c gc.auto=0 "$@"; }
managed() { git --git-dir="$cache/linux.git" rev-parse "$1"; }
bases="refs/txgen/bases"
new=$(managed "$bases/$onto") old=$(managed "$bases/$home")

# The series on both bases, as txgen makes it; its own base last, so that the branch is what it was.
"$txgen" apply "$series" --base "$onto" >/dev/null
there=$(managed "refs/heads/txgen/$series")
"$txgen" apply "$series" --base "$home" >/dev/null
here_tip=$(managed "refs/heads/txgen/$series")
g() { git --git-dir="$dir/linux.git" "$@"; }
mapfile -t commits < <(g rev-list --reverse "$old..$here_tip")
mapfile -t made < <(g rev-list --reverse "$new..$there")
declare -A by_subject
for commit in "${made[@]}"; do by_subject[$(g log -1 --format=%s "$commit")]=$commit; done

tools="merge-ort replay am stg"
command -v stg >/dev/null || tools="merge-ort replay am"
declare -A conflicts differs
for tool in $tools; do conflicts[$tool]=0 differs[$tool]=0; done

# What the series touches is enough of a work tree to see who comes into conflict; the time is taken on a whole one.
g worktree add -q --no-checkout --detach "$dir/work" "$new"
w() { git -C "$dir/work" "$@"; }
folders() { g diff --name-only "$1" "$2" | xargs -n 1 dirname; }
mapfile -t touched < <({ folders "$old" "$here_tip"; folders "$new" "$there"; } | sort -u)
w sparse-checkout set --no-cone "${touched[@]/%//*}"
w checkout -q --detach "$new"

# What a tool makes of a patch on a parent: a tree, or nothing where it stops.
merge_ort() { g merge-tree --write-tree --merge-base="$1~1" "$2" "$1" 2>/dev/null || true; }
replay() {
	local tip
	g update-ref refs/heads/replay "$2"
	tip=$(g replay --advance replay "$1~1..$1" 2>/dev/null | cut -d' ' -f3) || return 0
	if [ -n "$tip" ]; then g rev-parse "$tip^{tree}"; fi
}
am() {
	w checkout -q -f --detach "$2"
	if w format-patch -1 --stdout "$1" | w am -q -3 >/dev/null 2>&1; then w rev-parse 'HEAD^{tree}'; fi
	w am --abort >/dev/null 2>&1 || true
}
stg_pick() {
	w checkout -q -f -B stg "$2"
	(
		cd "$dir/work"
		stg init >/dev/null 2>&1
		if stg pick "$1" >/dev/null 2>&1; then git rev-parse 'HEAD^{tree}'; fi
	)
	w reset -q --hard
	(cd "$dir/work" && stg branch --cleanup --force >/dev/null 2>&1) || true
	w checkout -q -f --detach "$2"
}

echo "$series from $home to $onto, ${#commits[@]} patches; $(git --version)"
for commit in "${commits[@]}"; do
	subject=$(g log -1 --format=%s "$commit")
	right=${by_subject[$subject]-}
	[ -n "$right" ] || continue
	parent=$(g rev-parse "$right~1") want=$(g rev-parse "$right^{tree}") line=
	for tool in $tools; do
		case $tool in
		merge-ort) got=$(merge_ort "$commit" "$parent" | head -1) ;;
		replay) got=$(replay "$commit" "$parent") ;;
		am) got=$(am "$commit" "$parent") ;;
		stg) got=$(stg_pick "$commit" "$parent") ;;
		esac
		# merge-tree names a tree with conflict markers too: it has them in it.
		if [ "$tool" = merge-ort ] && ! g merge-tree --write-tree --merge-base="$commit~1" "$parent" "$commit" >/dev/null 2>&1; then
			got=
		fi
		if [ -z "$got" ]; then
			conflicts[$tool]=$((conflicts[$tool] + 1)) line="$line $tool=conflict"
		elif [ "$got" != "$want" ]; then
			differs[$tool]=$((differs[$tool] + 1)) line="$line $tool=differs"
		else
			line="$line $tool=same"
		fi
	done
	printf '%-62s%s\n' "$subject" "$line"
done

for tool in $tools; do
	printf '%-10s %2d conflicts, %2d results that differ\n' "$tool" "${conflicts[$tool]}" "${differs[$tool]}"
done

# The whole series, timed, on the first commit that is common to all.
start=${by_subject[$(g log -1 --format=%s "${commits[0]}")]}~1
start=$(g rev-parse "$start")
w sparse-checkout disable
w checkout -q -f -B series "$here_tip"
began=$(now) stops=0
w rebase -q --onto "$start" "$old" series >/dev/null 2>&1 || while [ -d "$(w rev-parse --absolute-git-dir)/rebase-merge" ]; do
	stops=$((stops + 1))
	subject=$(w log -1 --format=%s REBASE_HEAD)
	w read-tree --reset -u "${by_subject[$subject]}^{tree}"
	w rebase --continue >/dev/null 2>&1 || true
done
rebase_ms=$(ms "$began")
[ "$(w rev-parse 'HEAD^{tree}')" = "$(g rev-parse "$there^{tree}")" ] && same=yes || same=no
began=$(now)
g update-ref refs/heads/replay "$start"
g replay --advance replay "$old..$here_tip" >/dev/null 2>&1 || true
replay_ms=$(ms "$began")
# The same commits where none of them is in conflict: what replay needs for so many.
g update-ref refs/heads/replay "$old"
began=$(now)
g replay --advance replay "$old..$here_tip" >/dev/null
replay_all_ms=$(ms "$began")
# Short enough for the machine's moods to show: the median of five.
for _ in 1 2 3 4 5; do
	began=$(now)
	/usr/bin/time -f %M -o "$dir/memory" "$txgen" rebase "$series" --onto "$onto" --dry-run >/dev/null
	ms "$began"
done >"$dir/times"
txgen_ms=$(sort -n "$dir/times" | sed -n 3p)

echo "git rebase: $rebase_ms ms, $stops stops; the tree at its end is txgen's: $same"
echo "git replay: $replay_ms ms, up to the first conflict; $replay_all_ms ms for ${#commits[@]} commits without one"
echo "txgen rebase: $txgen_ms ms, $(cat "$dir/memory") kB; $((rebase_ms / (txgen_ms > 0 ? txgen_ms : 1))) times as fast as git rebase"
g worktree remove --force "$dir/work"
