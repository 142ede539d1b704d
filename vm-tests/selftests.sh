#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs the kernel's own selftests in the guest, as selftests.plan lists them, and writes selftests.ktap.
# selftests.tar holds the programs: run from RAM, as a start from the shared folder may take a second under emulation.
#
# A line of the plan: name, seconds, tries, folder, port, server, command; tabs between. Where there is a server it is
# started first, and has to listen on the port before the command runs; both have to succeed. Each test has a network
# namespace of its own, in which only lo is up, and ends with all that it started; descriptor 9 is the first network
# namespace, in which the kernel's own services are. A test with several tries is run until it passes. The output of
# each run goes to logs/, that of the last into the KTAP with `# ` before each line, as kselftest's runner has it; what
# this script says itself starts with `# txgen: `.
out=$(dirname "$0")
plan=$out/selftests.plan
tree=${SELFTESTS_TREE:-/run/selftests}
console=${SELFTESTS_CONSOLE:-/dev/kmsg}
tab=$(printf '\t')

# Runs a command in its namespace, with its server; the arguments are the last four columns.
if [ "${1-}" = inside ]; then
	folder=$2 port=$3 server=$4 command=$5
	ip link set lo up && cd "$tree/$folder" || exit 1
	[ "$server" = - ] && exec sh -c "$command"
	sh -c "$server" &
	until [ -n "$(ss -Hltn "sport = $port")" ]; do
		kill -0 $! 2>/dev/null || break
		sleep 0.1
	done
	sh -c "$command"
	status=$?
	wait $! || status=$?
	exit $status
fi

# What a line of KTAP says of $status; who is killed leaves 124, or 137 where it did not heed the first signal.
verdict() {
	case $status in
	0) echo "ok $number $name" ;;
	2) echo "ok $number $name # XFAIL" ;;
	4) echo "ok $number $name # SKIP" ;;
	124 | 137) echo "not ok $number $name # TIMEOUT $seconds seconds" ;;
	*) echo "not ok $number $name # exit=$status" ;;
	esac
}

# Runs $name once; leaves its exit status in $status.
run() {
	# Places what the kernel says of it.
	echo "txgen selftest: $name" >"$console"
	start=$(cut -d. -f1 /proc/uptime)
	timeout --kill-after=5 "$seconds" \
		unshare --net --mount --pid --fork --kill-child --mount-proc \
		sh "$0" inside "$folder" "$port" "$server" "$command" </dev/null 9</proc/self/ns/net >"$log" 2>&1
	status=$?
	end=$(cut -d. -f1 /proc/uptime)
}

mkdir -p "$out/logs" "$tree"
mount -t tmpfs selftests "$tree" && tar -xf "$out/selftests.tar" -C "$tree" || exit 1
{
	echo "TAP version 13"
	echo "1..$(wc -l <"$plan")"
	number=0
	while IFS=$tab read -r name seconds tries folder port server command; do
		number=$((number + 1))
		try=1
		log=$out/logs/$name.log
		run
		while [ "$try" -lt "$tries" ] && [ "$status" != 0 ] && [ "$status" != 4 ]; do
			echo "# txgen: run $try failed: $(verdict): $(tail -n 1 "$log")"
			mv "$log" "$out/logs/$name.try$try.log"
			try=$((try + 1))
			run
		done
		sed 's/^/# /' "$log"
		[ "$status" = 0 ] || echo "# txgen: last line: $(tail -n 1 "$log")"
		echo "# txgen: took $((end - start)) s"
		verdict
	done <"$plan"
} >"$out/selftests.ktap" 2>&1
