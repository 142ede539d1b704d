#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs virtme-ng as requirements.txt pins it, into an environment of its own in txgen's cache.
# Does nothing where that is done already.
set -eu
here=$(dirname "$0")
venv=${TXGEN_CACHE:-$HOME/.cache/txgen}/venv
pins=$here/requirements.txt

cmp -s "$pins" "$venv/requirements.txt" && exit 0

/usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || {
	echo "venv: python3's venv module is missing: apt-get install python3-venv" >&2
	exit 2
}
echo "venv: installing virtme-ng into $venv"
mkdir -p "$(dirname "$venv")"
/usr/bin/python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r "$pins"
cp "$pins" "$venv/requirements.txt.new"
mv "$venv/requirements.txt.new" "$venv/requirements.txt"
