#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Installs virtme-ng as requirements.txt pins it, into an environment of its own in txgen's cache.
# Does nothing where that is done already.
# Usage: vm-tests/venv.sh [mail | lint]    (what requirements-mail.txt pins: b4; requirements-lint.txt: ruff and dtschema;
# each into an environment of its own)
set -eu
here=$(dirname "$0")
what=${1-}
name=venv${what:+-$what}
venv=${TXGEN_CACHE:-$HOME/.cache/txgen}/$name
pins=$here/requirements${what:+-$what}.txt

cmp -s "$pins" "$venv/requirements.txt" && exit 0

/usr/bin/python3 -c 'import ensurepip, venv' 2>/dev/null || {
	echo "venv: python3's venv module is missing: apt-get install python3-venv" >&2
	exit 2
}
echo "venv: installing what $pins pins into $venv"
mkdir -p "$(dirname "$venv")"
options=
# libfdt, which dtschema imports, is a package of the system.
[ "$what" != lint ] || options=--system-site-packages
# shellcheck disable=SC2086 # none or one
/usr/bin/python3 -m venv --clear $options "$venv"
# dkimpy comes as source only: python, without a line of C.
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-binary dkimpy \
	--no-deps -r "$pins"
cp "$pins" "$venv/requirements.txt.new"
mv "$venv/requirements.txt.new" "$venv/requirements.txt"
