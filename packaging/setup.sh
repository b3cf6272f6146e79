# What start.sh and test.sh share: system libraries, Python, the environment. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
environment=$root/.venv

# A library the dynamic linker must know, and the Debian package that brings it.
window_libraries='
  libglib-2.0.so.0 libglib2.0-0
  libEGL.so.1 libegl1
  libGL.so.1 libgl1
  libdbus-1.so.3 libdbus-1-3
  libfontconfig.so.1 libfontconfig1
  libxkbcommon.so.0 libxkbcommon0
  libxcb-cursor.so.0 libxcb-cursor0
  libxkbcommon-x11.so.0 libxkbcommon-x11-0
  libxcb-icccm.so.4 libxcb-icccm4
  libxcb-keysyms.so.1 libxcb-keysyms1
  libxcb-shape.so.0 libxcb-shape0
  libxcb-xkb.so.1 libxcb-xkb1
'

# What a set-up fetches and what it then takes on the disk, in MB, measured with Python 3.11 on x86-64 Linux.
needs='
  studio-cpu    380  1500
  studio-cuda  3080  6100
  dev           120   430
  guide          28   160
  bundle         80  1750
'

# Seconds that another program may go on installing system packages.
longest_wait=${SMARTHDR_LONGEST_WAIT:-600}

# pip compiles one file after the other, for a minute; what is imported is compiled then, once, and kept.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 2; }

# What a script says of itself at its head, where that is asked for. Usage: tell_usage "$@"
tell_usage() {
  case ${1:-} in
    -h|--help) sed -n '2,${/^#/!q;s/^# //p}' "$0"; exit 0 ;;
  esac
}

# Seconds between two lines about a long command; a terminal has one line, made anew every second.
tells_every=${SMARTHDR_TELLS_EVERY:-10}
[ ! -t 2 ] || tells_every=1

# MB of what lies in these places by now.
megabytes() { { du -skc "$@" 2>/dev/null || true; } | awk 'END { printf "%d", ($1 + 1023) / 1024 }'; }

# What pip, apt-get or PyInstaller, whose words are in the log $1, is at.
now_doing() {
  tail -n 200 "$1" 2>/dev/null | awk '
    $1 == "Downloading" {
      size = match($0, /\([0-9.]+ [kMG]?B\)/) ? " " substr($0, RSTART, RLENGTH) : ""
      sub(/.*\//, "", $2); split($2, part, "-")
      doing = "fetching " part[1] " " part[2] size
    }
    $1 == "Collecting" { doing = "looking for " $2 }
    /^ *(Obtaining|Installing build|Getting req|Preparing)/ { doing = "preparing to build" }
    $1 ~ /^Get:/ { doing = "fetching " (NF > 7 ? $5 : "lists of packages") }
    $1 == "Unpacking" { doing = "unpacking " $2 }
    $1 == "Setting" { doing = "setting up " $3 }
    $2 == "INFO:" { $1 = $2 = ""; doing = "building:" substr($0, 2, 70) }
    /^Installing collected packages/ { doing = "unpacking " NF - 3 " packages" }
    END { print doing == "" ? "beginning" : doing }'
}

# MB of the packages that lie whole or in part in the folder $1.
megabytes_fetched() {
  { find "$1" -type f \( -name '*.whl' -o -name '*.tar.gz' -o -name '*.deb' \) -exec du -k {} + 2>/dev/null || true; } \
    | awk '{ all += $1 } END { printf "%d", all / 1024 }'
}

# A line about the command whose log is $1 and which fetches into the folder $2.
tell() {
  local doing
  doing=$(now_doing "$1")
  case $doing in
    fetching*|looking*) doing="$doing, $(megabytes_fetched "$2") MB so far" ;;
    *packages) doing="$doing, $(megabytes "$environment") MB on the disk so far" ;;
  esac
  if [ -t 2 ]; then printf '\r\033[K  %s' "$doing" >&2; else say "  $doing"; fi
}

# Runs a command, whose words go to a log, and tells what it is at. Usage: telling LOG FETCHING COMMAND…
telling() {
  local log=$1 fetching=$2 status=0 watcher
  shift 2
  : >"$log"
  # Who tells holds one end of a pipe, this script the other, and a command that outlives it neither.
  rm -f "$log.pipe"; mkfifo "$log.pipe"
  tell_until_end "$log" "$fetching" <"$log.pipe" 9>&- & watcher=$!
  exec 8>"$log.pipe"
  rm "$log.pipe"
  "$@" >>"$log" 2>&1 </dev/null 8>&- || status=$?
  exec 8>&-
  wait "$watcher" || true
  [ ! -t 2 ] || printf '\r\033[K' >&2
  return $status
}

# Tells every now and then until its input ends.
tell_until_end() {
  local waited=0 before
  while :; do
    before=$SECONDS
    read -r -t 1 _ || true
    [ "$SECONDS" != "$before" ] || return 0  # no second has passed: there is nobody to wait for
    waited=$((waited + 1))
    [ $((waited % tells_every)) != 0 ] || tell "$@"
  done
}

# The Debian packages whose libraries (SONAME PACKAGE pairs on stdin) are not on this machine.
missing_libraries() {
  local known name package
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
  while read -r name package; do
    [ -z "$name" ] || case $known in *"$name "*) ;; *) printf '%s ' "$package" ;; esac
  done
}

# A Python that fits and can make an environment; prints its path, or nothing.
find_python() {
  local name path
  for name in python3.13 python3.12 python3.11 python3; do
    path=$(command -v "$name" || true)
    [ -n "$path" ] && "$path" -c 'import sys, ensurepip, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && { printf '%s' "$path"; return; }
  done
  return 0
}

# Finishes what an apt-get that was killed left half done, once no other is at work. Usage: finish_packages LOG [sudo]
finish_packages() {
  local log=$1 waited=0
  shift
  until "$@" env LC_ALL=C DEBIAN_FRONTEND=noninteractive dpkg --configure -a >"$log" 2>&1 </dev/null; do
    # What else is wrong, apt-get mends or tells.
    grep -q 'lock' "$log" && [ "$waited" -lt "$longest_wait" ] || return 0
    [ "$waited" != 0 ] || say "Another program is installing system packages; waiting for it."
    waited=$((waited + 1)); sleep 1
  done
}

# Installs Debian packages, or prints the one line that does and leaves with status 2.
need_packages() {
  [ $# -gt 0 ] || return 0
  local as_root=() log
  if ! command -v apt-get >/dev/null; then
    stop "This machine lacks what these Debian packages bring: $*. Install their like and start again."
  fi
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
      as_root=(sudo)
    else
      stop "System packages are missing. As root, run:  apt-get update && apt-get install -y --no-install-recommends $*"
    fi
  fi
  say "Installing system packages: $*"
  [ "${#as_root[@]}" = 0 ] || sudo -v || stop "Nothing was installed; sudo was refused."
  log=$(mktemp)
  finish_packages "$log" "${as_root[@]+"${as_root[@]}"}"
  telling "$log" /var/cache/apt/archives "${as_root[@]+"${as_root[@]}"}" apt-get update -q || true
  as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get install --no-install-recommends)
  # What apt-get itself says of it: what it fetches, what it then takes.
  LC_ALL=C "${as_root[@]}" --assume-no "$@" </dev/null 2>/dev/null | grep -E '^(Need to get|After this)' >&2 || true
  telling "$log" /var/cache/apt/archives "${as_root[@]}" -q -y "$@" \
    || { grep -E '^[EW]:' "$log" >&2 || true; stop "apt-get could not install: $*; all it said is in $log"; }
  rm -f "$log"
}

# System packages: the named extras, Python where none fits, libraries from stdin.
prepare_system() {
  local wanted
  if [ "$(uname -s)" = Linux ]; then
    wanted="$* $(missing_libraries)"
    [ -n "$(find_python)" ] || wanted="python3 python3-venv $wanted"
    # shellcheck disable=SC2086  # package names hold no spaces
    need_packages $wanted
  fi
  [ -n "$(find_python)" ] || stop "SmartHDR Studio needs Python 3.11 to 3.13 with venv; install one (python.org, or: brew install python@3.12) and start again."
}

has_nvidia() { [ -e /proc/driver/nvidia/version ] || { command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; }; }

# MB free where the folder $1 is, or will be.
megabytes_free() { df -Pk "$1" | awk 'NR == 2 { printf "%d", $4 / 1024 }'; }

# Says what installing these kinds of `needs` takes, and refuses where there is no room for it.
# After --refuse-only it says so only where it refuses.
need_room() {
  local fetched=0 taken=0 needed free here kind a b
  while read -r kind a b; do
    case " $* " in *" ${kind:-none} "*) fetched=$((fetched + a)) taken=$((taken + b)) ;; esac
  done <<<"$needs"
  free=$(megabytes_free "$root")
  # While pip unpacks, what it fetched is still there; what a broken-off set-up left counts.
  here=0; stands_somehow || here=$(megabytes "$environment")
  needed=$((fetched + (taken > here ? taken - here : 0)))
  [ "$1" != --refuse-only ] || [ "$free" -lt "$needed" ] || return 0
  say "Setting up fetches about $fetched MB and takes about $taken MB in $environment; $free MB are free there."
  [ "$free" -ge "$needed" ] \
    || stop "Too little room for $environment: it needs $needed MB and $free MB are free; free some, or move $root to a larger disk."
  # pip also keeps what it fetches, for the next time, unless that is too much.
  [ "$(megabytes_free "${HOME:-/}")" -ge $((fetched + needed)) ] || export PIP_NO_CACHE_DIR=1
}

# pip, with its words in a log, which lies there as long as a step is not whole.
pip_installs() {
  local status=0 step_log=$environment/.set-up.log
  rm -rf "$environment/.fetching"; mkdir -p "$environment/.fetching"
  TMPDIR=$environment/.fetching telling "$step_log" "$environment/.fetching" "$environment/bin/python" \
    -m pip --disable-pip-version-check --no-input --no-color install --no-compile --progress-bar off "$@" || status=$?
  rm -rf "$environment/.fetching"
  if [ $status = 0 ]; then rm -f "$step_log"; return; fi
  refuse_without_network "$step_log"
  grep -E '^ *(ERROR|error):?' "$step_log" >&2 || tail -n 5 "$step_log" >&2
  stop "pip could not install $*; all it said is in $step_log. The next start tries again."
}

# Says that there is no network, where that is what the words of pip in the log $1 come to.
refuse_without_network() {
  ! grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|Network is unreachable' "$1" \
    || stop "pip cannot reach the package index; is this machine on the network? All it said is in $1. The next start goes on from here."
}

# Whether a set-up was broken off so that what lies there cannot be trusted.
is_half_made() {
  local step_log=$environment/.set-up.log
  [ ! -e "$environment/.begun" ] || return 0
  grep -qs '^Installing collected packages' "$step_log" && ! grep -qs '^Successfully installed' "$step_log"
}

# What the environment was made from; another answer means it must be made again.
fingerprint() { printf '%s %s' "$root" "$(cksum <"$root/pyproject.toml")"; }

# Whether .venv stands with this group in it, made from the project file as it is; or as it once was.
stands() { [ -e "$environment/.made-from-$1" ] && [ "$(cat "$environment/.made-from-$1")" = "$(fingerprint)" ]; }
stands_somehow() { [ -e "$environment/.made-from-studio" ]; }

# Makes .venv with the project in it, unless it stands already; a dependency group may be named, and
# after it "alone": then only its tools are there, and not the project.
make_environment() {
  local group=${1:-studio} alone=${2:-} python make_room_for= compiled= torch=torch
  refuse_anothers
  ! stands "$group" || return 0
  python=$(find_python)
  take_turn "$python"
  if is_half_made; then
    say "A set-up was broken off here; $environment is made anew, from what pip has kept where it has."
    rm -rf "$environment"
  fi
  [ -n "$alone" ] || stands_somehow || make_room_for=$(kind_of_studio)
  [ "$group" = studio ] || [ -e "$environment/.made-from-$group" ] || make_room_for="$make_room_for $group"
  # shellcheck disable=SC2086  # kinds are words
  [ -z "$make_room_for" ] || need_room --refuse-only $make_room_for
  make_venv "$python"
  [ -n "$alone" ] || stands studio || choose_torch
  # shellcheck disable=SC2086  # kinds are words
  [ -z "$make_room_for" ] || need_room $make_room_for
  [ -n "$alone" ] || stands studio || install_studio
  if ! stands "$group"; then
    [ -n "$alone" ] || { compile_studio & compiled=$!; }
    install_group "$group"
    [ -z "$compiled" ] || wait "$compiled"
  fi
  exec 9>&-
}

# A link may lead to another disk, but not to the environment that another checkout works with.
refuse_anothers() {
  local made owner
  [ -L "$environment" ] && [ -e "$environment/.made-from-studio" ] || return 0
  made=$(cat "$environment/.made-from-studio")
  owner=${made% * *}
  [ "$owner" = "$root" ] || [ ! -e "$owner/pyproject.toml" ] ||
    stop "$environment leads to the environment of $owner. Remove that link, and one is made here."
}

# Only one start sets up at a time; whatever it started holds the lock too, even when it was killed.
take_turn() {
  local lock='import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))'
  exec 9>"$environment.lock"
  "$1" -c "$lock" now 2>/dev/null && return
  say "Another start is setting up $environment; waiting for it."
  "$1" -c "$lock" 2>/dev/null || true  # a file system without locks
}

kind_of_studio() {
  if [ "$(uname -s)" = Linux ] && has_nvidia; then printf studio-cuda; else printf studio-cpu; fi
}

# An environment with pip in it, made with the Python $1.
make_venv() {
  ! "$environment/bin/python" -c 'import pip' 2>/dev/null || return 0
  rm -rf "$environment"; mkdir -p "$environment"; : >"$environment/.begun"
  "$1" -m venv "$environment"
  rm "$environment/.begun"
}

install_studio() {
  [ -z "$torch" ] || { say "Installing ${torch/==/ }."; pip_installs "$torch"; }
  say "Installing SmartHDR Studio and its libraries."
  pip_installs --editable "$root"
  fingerprint >"$environment/.made-from-studio"
  say "The environment stands; it takes $(megabytes "$environment") MB."
}

# Which torch is to be installed, if any, and the room that takes: without an NVIDIA driver the newest CPU build
# that pip can see, if there is one.
choose_torch() {
  local build step_log=$environment/.set-up.log
  if "$environment/bin/python" -c 'import torch' 2>/dev/null; then torch=; return; fi
  [ "$(uname -s)" = Linux ] && ! has_nvidia || return 0
  build=$("$environment/bin/python" -m pip --disable-pip-version-check index versions torch 2>"$step_log") \
    || refuse_without_network "$step_log"
  rm -f "$step_log"
  build=$(awk -F': ' '/^Available versions/ { n = split($2, all, /, */)
    for (i = 1; i <= n; i++) if (all[i] ~ /\+cpu$/) { print all[i]; exit } }' <<<"$build")
  if [ -n "$build" ]; then
    torch="torch==$build"
  else
    make_room_for=${make_room_for/studio-cpu/studio-cuda}
    say "No NVIDIA driver here, and pip knows no CPU build of torch: the default build is taken, which is large. For the small one stop this, set PIP_EXTRA_INDEX_URL to PyTorch's index of CPU builds, and start again."
  fi
}

# Imports all that the studio and its trainings do, so that it is compiled while pip has one core at work.
compile_studio() {
  "$environment/bin/python" >/dev/null 2>&1 </dev/null -c '
import gc
gc.disable()  # a tree that was parsed is let go of, and to look for garbage takes a sixth of the time
import contextlib, importlib, pkgutil, smarthdr_studio, torch._dynamo
for each in pkgutil.walk_packages(smarthdr_studio.__path__, "smarthdr_studio."):
    with contextlib.suppress(ImportError):  # what windows need of the system may still be on its way
        importlib.import_module(each.name)' || true
}

# The packages of one dependency group of pyproject.toml.
install_group() {
  local list=$environment/$1.txt
  "$environment/bin/python" - "$root/pyproject.toml" "$1" >"$list" <<'PYTHON'
import sys, tomllib
with open(sys.argv[1], "rb") as project:
    groups = tomllib.load(project)["dependency-groups"]
def named(group):
    for each in groups[group]:
        if isinstance(each, str):
            print(each)
        else:
            named(each["include-group"])
named(sys.argv[2])
PYTHON
  say "Installing the tools of the group '$1'."
  pip_installs --requirement "$list"
  fingerprint >"$environment/.made-from-$1"
}

# Libraries and a screen that nobody sees; sets with_screen, which goes before a command. Usage: prepare_screen 1440x900
prepare_screen() {
  local tools=
  with_screen=()
  if [ "$(uname -s)" != Linux ]; then prepare_system <<<''; return; fi
  command -v xvfb-run >/dev/null || tools='xvfb xauth'
  # shellcheck disable=SC2086  # package names hold no spaces
  prepare_system $tools <<<"$window_libraries"
  with_screen=(env QT_QPA_PLATFORM=xcb xvfb-run --auto-servernum "--server-args=-screen 0 $1x24")
}
