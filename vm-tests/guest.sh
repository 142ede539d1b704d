#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs as root in the guest once it is up; its results go to the folder it lies in, which the host shares.
# The last line of result.txt says that the guest came to its end: without it a boot has failed.
out=$(dirname "$0")
leaks=/sys/kernel/debug/kmemleak
{
	echo "kernel: $(uname -r)"
	if [ -f "$out/selftests.sh" ]; then
		sh "$out/selftests.sh"
		echo "selftests: exit $?"
	fi
	if [ -w "$leaks" ]; then
		# An object counts as leaked only at an age of 5 s, and only if two scans in a row miss it.
		echo scan >"$leaks" && sleep 6 && echo scan >"$leaks" && cat "$leaks" >"$out/kmemleak.txt" ||
			echo "kmemleak: the scan failed"
		echo "kmemleak: scanned"
	fi
	echo "txgen guest: done"
} >"$out/result.txt" 2>&1
sync
