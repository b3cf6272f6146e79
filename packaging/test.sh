#!/usr/bin/env bash
# The whole gate, from a bare machine on: format, lint, types, arrows, tests, real windows.
# usage: bash packaging/test.sh [--all] [--cover] [arguments for pytest]
#   --all    also what is marked slow: several processes, ONNX, kills
#   --cover  also which lines the tests pass through, with a bound; it takes two fifths longer
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"

chosen='not slow'
cover=()
while :; do
  case ${1:-} in
    --all) chosen= ;;
    --cover) cover=(--cov --cov-report=term) ;;
    *) break ;;
  esac
  shift
done

# For root, who can install anything, what the system lacks comes beside what Python lacks.
if [ "$(id -u)" = 0 ] && [ -n "$(find_python)" ] && [ ! -t 2 ]; then
  (prepare_screen 1920x1200) & system=$!
  make_environment dev
  wait "$system"
fi
prepare_screen 1920x1200
make_environment dev

cd "$root"
export PATH=$environment/bin:$PATH
export OMP_NUM_THREADS=1  # every core has a process of its own
# One more than there are cores: a window that is waited for leaves its core to another.
workers=$(($(getconf _NPROCESSORS_ONLN) + 1))
[ "$workers" -le 8 ] || workers=8

# Whatever a test decides is written through to the disk: where there is room, that is memory.
place=${TMPDIR:-/tmp}
free=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }' || true)
[ "${free:-0}" -lt 4194304 ] || place=/dev/shm
scratch=$(mktemp -d "$place/smarthdr-tests.XXXXXX")
types=
windows=
trap 'rm -rf "$scratch"; for each in $types $windows; do kill "$each" 2>/dev/null || true; done' EXIT

say "ruff format"; ruff format --check --quiet .
say "ruff check"; ruff check --quiet .
say "mypy, beside what follows"; mypy --no-error-summary ${CI:+--cache-dir=/dev/null} >"$scratch/types.txt" & types=$!
real='tests/studio/test_window_inspection.py tests/studio/test_brush_window.py'
elsewhere=()
if [ "$# ${#cover[@]}" = "0 0" ] && [ "${#with_screen[@]}" -gt 0 ]; then
  say "pytest, the inspection room and the brush in real windows, beside what follows"
  # On a screen with a number of its own: two that look for a free one at once may find the same.
  for each in $real; do elsewhere+=("--ignore=$each"); done
  # shellcheck disable=SC2086  # names of files without spaces
  SMARTHDR_TEST_XCB=1 "${with_screen[@]}" --server-num=299 python -m pytest -q \
    --basetemp="$scratch/windows" -o cache_dir="$scratch/cache" -m "$chosen" $real \
    >"$scratch/windows.txt" 2>&1 & windows=$!
fi
say "lint-imports"; lint-imports --no-cache >"$environment/arrows.txt" || { cat "$environment/arrows.txt"; exit 1; }
if [ $# = 0 ]; then
  # Once, and not in every process at the same time: hypothesis works out which letters there are,
  # and pytest rewrites each file of tests for its messages.
  python -c 'from hypothesis import strategies; strategies.text().example()' >/dev/null 2>&1 || true
  python -m pytest --collect-only -q "${elsewhere[@]+"${elsewhere[@]}"}" >"$scratch/collected.txt" 2>&1 || true
fi
say "pytest"
"${with_screen[@]+"${with_screen[@]}"}" python -m pytest --numprocesses="$workers" --dist=worksteal \
  --basetemp="$scratch/all" -m "$chosen" --durations=10 \
  "${elsewhere[@]+"${elsewhere[@]}"}" "${cover[@]+"${cover[@]}"}" "$@"
say "mypy"; wait "$types" || { cat "$scratch/types.txt"; exit 1; }
if [ -n "$windows" ]; then
  say "pytest in real windows"; wait "$windows" || { cat "$scratch/windows.txt"; exit 1; }
fi
