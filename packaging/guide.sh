#!/usr/bin/env bash
# Builds the guide as pages for a browser, with search: guide, walks, words, decisions, and core and learning by name.
# usage: bash packaging/guide.sh [FOLDER]    (default build/guide; open its index.html)
# Once its tools are there nothing is asked of a network, neither to build the pages nor to read them.
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"
case ${1:-} in -*) stop "$1: no such option; give a folder, or nothing" ;; esac

# Pages need tools of their own, but neither torch nor Qt: docstrings are read, not imported.
environment=$root/build/guide-environment
prepare_system <<<''
mkdir -p "$root/build"
make_environment guide alone
exec "$environment/bin/python" "$root/packaging/guide.py" "${1:-$root/build/guide}"
