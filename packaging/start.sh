#!/usr/bin/env bash
# Starts SmartHDR Studio, making everything it needs on first use.
# usage: bash packaging/start.sh [PROJECT or dataset folder]
# Without an argument it opens a generated sample project in the user's data folder.
set -euo pipefail

here=${BASH_SOURCE[0]%/*}
[ "$here" != "${BASH_SOURCE[0]}" ] || here=.
# shellcheck source=packaging/setup.sh
. "$here/setup.sh"
tell_usage "$@"
if [ $# -gt 0 ]; then
  case $1 in '') stop "The name of a project or dataset folder is empty; leave it out for the sample." ;;
    -*) stop "$1: no such option; give a project or a dataset folder, or nothing" ;; esac
fi
studio=$environment/bin/smarthdr-studio

can_show() { [ "$(uname -s)" != Linux ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

data_folder() {
  if [ "$(uname -s)" = Darwin ]; then printf '%s' "$HOME/Library/Application Support/smarthdr-studio"
  else printf '%s' "${XDG_DATA_HOME:-$HOME/.local/share}/smarthdr-studio"; fi
}

# The sample project, generated on first use.
sample_project() {
  local folder; folder=$(data_folder)
  if [ ! -e "$folder/sample.shdr/project.sqlite" ]; then
    say "Generating the sample dataset in $folder/sample."
    [ -e "$folder/sample/labelled.txt" ] || "$studio" sample "$folder/sample" >&2 || exit
    "$studio" new "$folder/sample.shdr" "$folder/sample" \
      --labelled-from "$folder/sample/labelled.txt" >&2 || exit
  fi
  printf '%s' "$folder/sample.shdr"
}

# The project that $1 means: its folder, its database, or a dataset, which becomes a project beside it.
project_of() {
  local place=${1%/}
  place=${place%/project.sqlite}
  if [ "${place%.shdr}" = "$place" ] && [ ! -e "$place/project.sqlite" ]; then
    [ ! -d "$place" ] || place=$(cd "$place" && pwd)  # beside . is the folder around it
    [ -e "$place.shdr/project.sqlite" ] || "$studio" new "$place.shdr" "$place" >&2 || exit
    place=$place.shdr
  fi
  printf '%s' "$place"
}

# The job of the window without one: train, write pseudo-labels, print the reliability table.
run_headless() {
  local stopped run
  say "No display here (neither DISPLAY nor WAYLAND_DISPLAY is set): doing the same job without a window."
  say "Started again, this goes on where it was. For its commands in a shell: export PATH=${studio%/*}:\$PATH"
  if grep -qs '"outcome": "done"' "$1"/runs/*/events.jsonl; then
    say "$1 has been trained already; to train again: $studio train $1 --preset quick"
  else
    # A run that was stopped goes on where it was.
    stopped=$(compgen -G "$1/runs/*/checkpoints/step-*" | tail -n 1 || true)
    run=${stopped%/checkpoints/*}
    if [ -n "$run" ]; then "$studio" train "$1" --resume "${run##*/}"
    else "$studio" train "$1" --preset quick; fi
    "$studio" label "$1"
  fi
  "$studio" masks "$1"
  "$studio" evaluate "$1"
}

if can_show; then libraries=$window_libraries; else libraries=; fi
# A first start looks at the machine; every later one goes straight to the window.
if ! stands studio; then
  prepare_system <<<"$libraries"
  make_environment studio
fi
if can_show && [ ! -e "$environment/.can-show" ]; then
  prepare_system <<<"$libraries"
  : >"$environment/.can-show"
fi

if [ $# -gt 0 ]; then project=$1; else project=$(sample_project); fi
if can_show; then exec "$studio" "${@:-$project}"; fi
project=$(project_of "$project")
run_headless "$project"
