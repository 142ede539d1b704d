#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs what builds Rust for the kernel, where it is missing: a rustc with the sources of its library, and bindgen, into
# txgen's cache. The versions go together (Documentation/process/changes.rst of the kernel has the oldest ones).
set -eu
bindgen=0.72.1
root=${TXGEN_CACHE:-$HOME/.cache/txgen}/rust

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

missing=
for package in rustc-web rust-web-src rustfmt-web rust-web-clippy libclang1-19 libclang-common-19-dev; do
	status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null) || status=absent
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
	echo "rust: installing$missing"
	$sudo apt-get update -q
	# shellcheck disable=SC2086 # one word a package
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $missing
fi
case $("$root/bin/bindgen" --version 2>/dev/null) in
"bindgen $bindgen") ;;
*)
	echo "rust: installing bindgen $bindgen"
	cargo install --quiet --locked --root "$root" --version "$bindgen" bindgen-cli
	;;
esac
