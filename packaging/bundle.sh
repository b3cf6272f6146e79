#!/usr/bin/env bash
# Builds the desktop bundle: the studio, Python, Qt and torch (CPU) in one folder, for machines without Python.
# usage: bash packaging/bundle.sh [FOLDER]    (default dist/; minutes, and 4 GB of disk while it works)
# On Linux it then opens the sample project with it on a screen nobody sees, and tells size and start time.
# Tried on Linux. What macOS and Windows need stands here and in bundle.spec, and has not been tried there.
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"
case ${1:-} in -*) stop "$1: no such option; give a folder, or nothing" ;; esac

# An environment of its own, so that no tool of a developer goes along; never torch for a card.
environment=$root/build/bundle-environment
has_nvidia() { false; }
out=${1:-$root/dist}
mkdir -p "$out" "$root/build"
out=$(cd "$out" && pwd)

case $(uname -s) in
  MINGW*|MSYS*|CYGWIN*)  # untried: Git's bash on Windows, with Python from python.org
    bin=$environment/Scripts
    [ -e "$bin/python.exe" ] || py -3 -m venv "$environment"
    "$bin/python.exe" -m pip install "$root[formats,heic,raw,onnx]" pyinstaller pillow ;;
  Darwin)  # untried
    bin=$environment/bin
    prepare_system <<<''
    make_environment bundle ;;
  *)
    bin=$environment/bin
    prepare_screen 1600x1000
    make_environment bundle ;;
esac

say "Building; this takes some minutes."
mkdir -p "$environment"
telling "$root/build/bundle.log" "$root/build" "$bin/pyinstaller" --noconfirm \
  --distpath "$out" --workpath "$root/build/pyinstaller" "$root/packaging/bundle.spec" \
  || { tail -n 20 "$root/build/bundle.log" >&2; stop "PyInstaller failed; all it said is in $root/build/bundle.log"; }
say "The bundle is $out/smarthdr-studio; it takes $(megabytes "$out/smarthdr-studio") MB."

[ "$(uname -s)" = Linux ] || exit 0
"$bin/python" "$root/packaging/try_bundle.py" "$out/smarthdr-studio/smarthdr-studio" "$root/build/bundle.png"
