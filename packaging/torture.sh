#!/usr/bin/env bash
# Repeats by night what the gate tries by day, longer and with other seeds: mutated files over all
# readers, decisions of processes that are killed, trainings interrupted, disks that fill up at every
# page, ten thousand scenes, two hundred runs. Hours; stopped at will, the same command goes on.
# usage: bash packaging/torture.sh [--into DIR] [--hours N] [--only TEXT] [--guide]
#   --into DIR  what was done so far, and its summary (.torture)
#   --hours N   begin nothing new after so many hours (8)
#   --only TEXT only the injections whose name begins so
#   --guide     write the summary into the guide as well
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"

prepare_screen 1920x1200
make_environment dev

cd "$root"
export OMP_NUM_THREADS=1
"${with_screen[@]+"${with_screen[@]}"}" "$environment/bin/python" packaging/torture.py "$@"
