#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Ten patches, seven of them broken, each in its own way, on the real kernel: every fault has to be found at its patch, by
# the check or the test that is for it, and nowhere else.
# Usage: vm-tests/broken-series.sh    (after `make base`; takes a build of the kernel, and one more under debug.config)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
txgen=$(realpath "${TXGEN:-$root/target/release/txgen}")
cache=${TXGEN_CACHE:-$HOME/.cache/txgen}
dir=$(mktemp -d "${TMPDIR:-/tmp}/broken-series.XXXXXX")
trap 'rm -rf "$dir"' EXIT

mkdir -p "$dir/project/series/broken" "$dir/project/kernel-overlay" "$dir/base/net/core"
cp -r "$root/templates" "$root/vm-tests" "$dir/project"
cp "$root"/series/{bases.toml,macros.h} "$dir/project/series"
cd "$dir/project/series/broken"

kernel=refs/txgen/bases/net-next
for file in netevent net_test; do
	git --git-dir="$cache/linux.git" show "$kernel:net/core/$file.c" >"$dir/base/net/core/$file.c"
done
cp -r "$dir/base" "$dir/old"
cp -r "$dir/base" "$dir/new"
cat >series.toml <<-EOF
	title = "net: broken in seven ways"
	tree = "net-next"
	version = 1
	change-id = "20260101-broken-0123456789ab"
	base = "net-next"
	date = "2026-01-01T00:00:00Z"
	to = []
	cc = []
EOF

# A patch NAME after which netevent.c ends with what stdin says, and net_test.c is as it is in new/.
patch() {
	{ cat "$dir/base/net/core/netevent.c" && cat; } >"$dir/new/net/core/netevent.c"
	(cd "$dir" && git diff --no-index --no-renames --src-prefix= --dst-prefix= old new || test $? = 1) |
		sed -e 's,old/,a/,g; s,new/,b/,g' -e '/^index /d' >"$1.diff"
	rm -rf "$dir/old"
	cp -r "$dir/new" "$dir/old"
	printf 'net: %s\n\nA patch of a series that is broken on purpose.\n' "$1" >"$1.msg"
	printf '\n[[patch]]\nname = "%s"\n' "$1" >>series.toml
}
# Code that runs at boot.
initcall() {
	printf '\nstatic int __init netevent_late(void)\n{\n%s\n\treturn 0;\n}\nlate_initcall(netevent_late);\n' "$1"
}
test_says() {
	sed "s/KUNIT_ASSERT_$1(test, __ipt_flag_op/KUNIT_ASSERT_$2(test, __ipt_flag_op/" \
		"$dir/base/net/core/net_test.c" >"$dir/new/net/core/net_test.c"
}

echo '/* Nothing is wrong. */' | patch good
echo '/* Nothing is wrong yet. */' | patch good-too
initcall $'\tundeclared();' | patch does-not-compile
echo '/* It compiles again. */' | patch mended
initcall $'\tWARN_ON(1);' | patch warns
initcall $'\tfor (;;)\n\t\tcpu_relax();' | patch hangs
initcall $'\tfor (int i = 0; i < 64; i++)\n\t\tif (!kmalloc(64, GFP_KERNEL))\n\t\t\treturn -ENOMEM;' |
	sed '1i #include <linux/slab.h>' | patch leaks
test_says TRUE FALSE
echo '/* It leaks no more. */' | patch test-fails
test_says TRUE TRUE
printf '\nint netevent_same(int a);\nint netevent_same(int a)\n{\n\ta = a;\n\treturn a;\n}\n' | patch clang-warns
printf '\nstatic __be32 __maybe_unused netevent_order(u32 a)\n{\n\treturn a;\n}\n' | patch sparse-warns

cd "$dir/project"
failed=
# Says whether the lines on stdin, without what is in brackets or after a colon, are those of $2.
expect() {
	local got
	got=$(cat)
	[ "$got" = "$2" ] && echo "broken-series: $1: as it should be" && return
	printf 'broken-series: %s:\n' "$1" >&2
	diff <(echo "$2") <(echo "$got") >&2 || failed=1
}

"$txgen" check broken --only build,sparse,clang,32-bit --json >"$dir/check.json" || test $? = 1
python3 - "$dir/check.json" <<-'EOF' >"$dir/found"
	import json, sys
	for found in json.load(open(sys.argv[1]))["findings"]:
	    print(found["patch"], found["check"], found["level"])
EOF
sort -u "$dir/found" | expect "checks" "clang-warns clang warn
does-not-compile 32-bit fail
does-not-compile build fail
does-not-compile clang fail
does-not-compile sparse fail
sparse-warns sparse warn"

verdicts() { sed -n 's/^\(ok\|FAIL\)  *\([a-z-]*\) \[.*/\2 \1/p'; }
"$txgen" test broken --all --timeout 90 | tee "$dir/test" || test "${PIPESTATUS[0]}" = 1
verdicts <"$dir/test" | expect "boots" "good ok
good-too ok
does-not-compile FAIL
mended ok
warns FAIL
hangs FAIL
leaks ok
test-fails FAIL
clang-warns ok
sparse-warns ok"
said() { sed -n "/^FAIL $1 /,/^[a-zA-Z]/p" "$dir/test" | grep -q -e "$2" || { echo "$1: nothing of \"$2\"" >&2 && failed=1; }; }
said does-not-compile "netevent.c:.*undeclared"
said warns "WARNING.*netevent_late"
said hangs "said nothing for 45 s\|of a stall\|did not end within 90 s"
said test-fails "ip_tunnel_flags_test_run"

"$txgen" test broken --patch leaks --config debug | tee "$dir/debug" || test "${PIPESTATUS[0]}" = 1
verdicts <"$dir/debug" | expect "the debug configuration" "leaks FAIL"
grep -q "netevent_late" "$dir/debug" || { echo "leaks: netevent_late() is not named" >&2 && failed=1; }
[ -z "$failed" ] || exit 1
echo "broken-series: 7 of 7 faults found, each at its patch"
