#!/usr/bin/env bash
# The whole gate, from a bare machine on: format, lint, types, arrows, tests with coverage, real windows.
# usage: bash packaging/test.sh [arguments for pytest]
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"

prepare_screen 1920x1200
make_environment dev

cd "$root"
export PATH=$environment/bin:$PATH
say "ruff format"; ruff format --check --quiet .
say "ruff check"; ruff check --quiet .
say "mypy"; mypy --no-error-summary
say "lint-imports"; lint-imports --no-cache >"$environment/arrows.txt" || { cat "$environment/arrows.txt"; exit 1; }
say "pytest"
"${with_screen[@]+"${with_screen[@]}"}" python -m pytest --cov --cov-report=term "$@"
if [ $# -eq 0 ] && [ "${#with_screen[@]}" -gt 0 ]; then
  say "pytest, the inspection room and the brush in real windows"
  SMARTHDR_TEST_XCB=1 "${with_screen[@]}" python -m pytest -q \
    tests/studio/test_window_inspection.py tests/studio/test_brush_window.py
fi
