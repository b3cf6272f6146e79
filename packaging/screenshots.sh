#!/usr/bin/env bash
# Takes the screenshots of the README and the guide: a fresh sample project, trained with `quick` in the window.
# usage: bash packaging/screenshots.sh    (some minutes; needs what packaging/test.sh needs)
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"

prepare_screen 1440x900
make_environment studio
cd "$root"
exec "${with_screen[@]+"${with_screen[@]}"}" "$environment/bin/python" packaging/screenshots.py "$@"
