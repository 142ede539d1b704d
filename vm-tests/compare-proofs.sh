#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What txgen takes to prove every patch of a series, and what it takes without it: `git rebase --exec 'make bzImage && boot'`
# with the same compiler, guest and tests. First from cold, then after a change to the last patch.
#
# Usage: vm-tests/compare-proofs.sh [OPTION...] [SERIES]    (after `make base`; default: zerocopy)
#   --naive-config net|defconfig   what is built without txgen: the same trimmed configuration (default), or the defconfig
#                                  with what the guest and the tests need on top, as one has it who has trimmed nothing
#   --naive-jobs N                 what runs at once without txgen (default: as many as there are processors)
#   --patches N                    the first N patches alone
#   --only cold|again              one part: the second goes on where the first ended, in the same --dir
#   --tool txgen|naive             one side
#   --dir DIR                      work in this folder, and leave it as it is; on the file system of txgen's cache
#
# txgen works in a cache of its own, in which only the repository of the kernel is there: no tree, no object, no record,
# nothing in ccache. The other side has a tree that is checked out, as one who works in it would, an empty build folder,
# and the programs of the quick selftests, which txgen made. A second run takes the times of the first that are in DIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
txgen=$(realpath "${TXGEN:-$root/target/release/txgen}")
cache=${TXGEN_CACHE:-$HOME/.cache/txgen}

usage() {
	sed -n 's/^#   *\(--.*\)/\1/p' "$0" >&2
	exit 2
}
series=zerocopy patches=0 only=both tool=both naive_config=net naive_jobs=$(nproc) dir=''
while [ $# -gt 0 ]; do
	case $1 in
	--naive-config) naive_config=${2:?} && shift ;;
	--naive-jobs) naive_jobs=${2:?} && shift ;;
	--patches) patches=${2:?} && shift ;;
	--only) only=${2:?} && shift ;;
	--tool) tool=${2:?} && shift ;;
	--dir) dir=${2:?} && shift ;;
	-*) usage ;;
	*) series=$1 ;;
	esac
	shift
done
[[ "$naive_config/$only/$tool/$patches" =~ ^(net|defconfig)/(both|cold|again)/(both|txgen|naive)/[0-9]+$ ]] || usage
[[ "$naive_jobs" =~ ^[1-9][0-9]*$ ]] || usage

if [ -z "$dir" ]; then
	dir=$(mktemp -d "$cache/compare-proofs.XXXXXX")
	trap 'rm -rf "$dir"' EXIT
fi
mkdir -p "$dir"
dir=$(realpath "$dir")
export TXGEN_CACHE=$dir/cache GIT_EDITOR=true GIT_SEQUENCE_EDITOR=true
unset CCACHE_DIR

# Of a file of a series the value of a key.
value() { sed -n "s/^$2 = \"\(.*\)\".*/\1/p" "series/$1/series.toml" | head -n 1; }

# A cache with the repository alone, and a copy of the project, as the second part changes a patch.
if [ ! -d "$dir/project" ]; then
	mkdir -p "$dir/cache" "$dir/new"
	cp -al "$cache/linux.git" "$dir/cache/linux.git"
	rm -rf "$dir/cache/linux.git/worktrees" "$dir/cache/linux.git/logs"
	for part in venv rust; do
		[ ! -e "$cache/$part" ] || ln -s "$(realpath "$cache/$part")" "$dir/cache/$part"
	done
	cp -r "$root"/{series,kernel-overlay,templates,vm-tests} "$dir/new"
	cd "$dir/new"
	mapfile -t names < <(grep -A 1 '^\[\[patch\]\]' "series/$series/series.toml" | sed -n 's/^name = "\(.*\)"/\1/p')
	if [ "$patches" -gt 0 ] && [ "$patches" -lt ${#names[@]} ]; then
		"$txgen" drop "$series" "${names[@]:$patches}" >/dev/null
	fi
	"$txgen" apply "$series" >/dev/null
	mv "$dir/new" "$dir/project"
fi
cd "$dir/project"
g() { git --git-dir="$dir/cache/linux.git" "$@"; }
below=$(value "$series" depends)
base=refs/txgen/bases/$(value "$series" base)
[ -z "$below" ] || base=refs/heads/txgen/$below
base=$(g rev-parse "$base")
count=$(g rev-list --count "$base..refs/heads/txgen/$series")

# The other side: a tree with the branch, and a script that makes, boots and looks.
tree=$dir/naive build=$dir/naive-build
if [ ! -e "$dir/naive.ready" ]; then
	rm -rf "$tree"
	g worktree prune
	g branch -f naive "refs/heads/txgen/$series"
	g worktree add -q "$tree" naive
	touch "$dir/naive.ready"
fi
# The options of the series it stands on, and its own.
options() {
	local lower
	lower=$(value "$1" depends)
	[ -z "$lower" ] || options "$lower"
	[ ! -e "series/$1/kernel.config" ] || cat "series/$1/kernel.config"
}
{
	if [ "$naive_config" = net ]; then
		cat vm-tests/net.config
		echo CONFIG_PROC_SYSCTL=y
	else
		# What the guest is made of, and the tests that it runs.
		grep -E '^CONFIG_[A-Z0-9_]*(9P|VIRTIO|KUNIT|_TEST)[A-Z0-9_]*=y' vm-tests/net.config
		# A test that makes an oops, which is the end of a guest here.
		echo CONFIG_KUNIT_FAULT_TEST=n
	fi
	options "$series"
} >"$dir/naive.config"
cat >"$dir/exec.sh" <<EOF
#!/bin/bash
# Makes the kernel of the commit that is checked out, boots it as txgen does, and looks at what it said.
set -eu
make="make -s -C $tree O=$build ARCH=x86_64 -j$naive_jobs"
shared=$dir/naive-guest log=$dir/naive-console.log
mkdir -p $build
# Under KVM only where txgen's probe boot showed that it works.
kvm=--disable-kvm
if grep -qs 'boot: under KVM' $dir/txgen-cold.log; then kvm=; fi
exec 3>&1 >>$dir/naive-make.log 2>&1
if [ $naive_config = net ]; then
	\$make KCONFIG_ALLCONFIG=$dir/naive.config allnoconfig
elif [ ! -e $build/.config ]; then
	\$make defconfig kvm_guest.config
	cat $dir/naive.config >>$build/.config
	\$make olddefconfig
fi
\$make bzImage
rm -rf \$shared
mkdir \$shared
cp $here/guest.sh $dir/selftests/* \$shared
PATH=$dir/cache/venv/bin:\$PATH timeout --kill-after=5 180 vng --run $build/arch/x86/boot/bzImage \\
	--user root --force-9p --verbose --memory 1G --cpus 2 \$kvm --rwdir=/run/txgen=\$shared \\
	--append kunit.autorun=1 --append oops=panic --append panic=-1 --append root=/dev/root \\
	--exec 'sh /run/txgen/guest.sh' >\$log 2>&1 </dev/null || true
tail -n 1 \$shared/result.txt | grep -qx 'txgen guest: done'
grep -q '^ok ' \$shared/selftests.ktap
if grep '^not ok ' \$shared/selftests.ktap; then exit 1; fi
grep -q 'KTAP version' \$log
if grep -aE '^(\[[ 0-9.]*\] )?( *not ok |WARNING: |BUG: |Oops: |Kernel panic)' \$log; then exit 1; fi
ran=\$(cat \$log \$shared/selftests.ktap | grep -acE '^(\[[ 0-9.]*\] )? *ok [0-9]')
echo "ok   \$(git -C $tree log -1 --format=%s): \$ran results" >&3
EOF
chmod +x "$dir/exec.sh"

# Runs a command as part $1 of DIR and keeps the seconds it took; does nothing where they are there.
timed() {
	local what=$1 began
	shift
	[ ! -e "$dir/$what.seconds" ] || return 0
	echo "compare-proofs: $what: $*"
	began=$(date +%s.%N)
	if ! "$@" 2>&1 | tee "$dir/$what.log"; then
		trap - EXIT
		echo "compare-proofs: $what failed: see $dir" >&2
		exit 1
	fi
	echo "$began $(date +%s.%N)" | awk '{ printf "%.1f\n", $2 - $1 }' >"$dir/$what.seconds"
}
# The quick selftests of the last patch as txgen gave them to its guest, for the guest of the other side.
keep_selftests() {
	local last
	[ ! -d "$dir/selftests" ] || return 0
	last=$(ls -t "$dir"/cache/runs/*/guest/selftests.plan | head -n 1)
	mkdir "$dir/selftests.new"
	cp "$last" "$(dirname "$last")/selftests.sh" "$dir"/cache/*/*/build/build/selftests.tar "$dir/selftests.new"
	mv "$dir/selftests.new" "$dir/selftests"
}
part() {
	[ "$tool" = naive ] || timed "txgen-$1" "$txgen" test "$series" --all
	[ "$tool" = txgen ] || keep_selftests
	[ "$tool" = txgen ] || timed "naive-$1" git -C "$tree" rebase --quiet --exec "$dir/exec.sh" "$base"
}

# A comment at the end of a C file of the last patch, or a line at the end of another file that it has.
amend() {
	local file files
	mapfile -t files < <(git -C "$tree" diff --name-only HEAD~1 HEAD)
	file=${files[0]}
	for one in "${files[@]}"; do
		case $one in net/*.c | mm/*.c | lib/*.c | drivers/*.c | crypto/*.c | fs/*.c) file=$one ;; esac
	done
	case $file in
	*.[ch]) echo '/* Compared. */' ;;
	*.rs) echo '// Compared.' ;;
	*) printf '\nCompared.\n' ;;
	esac >>"$tree/$file"
	git -C "$tree" commit -q -a --amend --no-edit
	# txgen reads the change from its branch, as it would of one who works there.
	g update-ref "refs/heads/txgen/$series" "$(git -C "$tree" rev-parse HEAD)"
	"$txgen" refresh "$series" >/dev/null
	echo "$file" >"$dir/amended"
}

[ "$only" = again ] || part cold
if [ "$only" != cold ]; then
	[ -e "$dir/amended" ] || amend
	part again
fi

echo "$series, $count patches; without txgen: $naive_config, make -j$naive_jobs; $(nproc) processors, $(gcc --version | head -n 1)"
for what in cold again; do
	for side in txgen naive; do cat "$dir/$side-$what.seconds" 2>/dev/null || echo -; done | paste - - |
		awk -v what="$what" '{ ratio = $1 == "-" || $2 == "-" ? "-" : sprintf("%.3f", $1 / $2)
			if ($1 $2 != "--") printf "%-5s  txgen %8s s  git rebase --exec %8s s  ratio %s\n", what, $1, $2, ratio }'
done
[ ! -e "$dir/amended" ] || echo "again: after a change of $(cat "$dir/amended") in the last patch"
