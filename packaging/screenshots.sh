#!/usr/bin/env bash
# Takes the screenshots of the README and the guide: a fresh sample project, trained with `quick` in the window.
# usage: bash packaging/screenshots.sh    (some minutes; needs what packaging/test.sh needs)
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"

with_screen=()
if [ "$(uname -s)" = Linux ]; then
  tools=
  command -v xvfb-run >/dev/null || tools='xvfb xauth'
  # shellcheck disable=SC2086  # package names hold no spaces
  prepare_system $tools <<<"$window_libraries"
  with_screen=(env QT_QPA_PLATFORM=xcb xvfb-run --auto-servernum --server-args='-screen 0 1440x900x24')
else
  prepare_system <<<''
fi
make_environment studio
cd "$root"
exec "${with_screen[@]+"${with_screen[@]}"}" "$environment/bin/python" packaging/screenshots.py "$@"
