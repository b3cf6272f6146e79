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

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 2; }

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

# Installs Debian packages, or prints the one line that does and leaves with status 2.
need_packages() {
  [ $# -gt 0 ] || return 0
  local as_root=()
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
  "${as_root[@]+"${as_root[@]}"}" apt-get update -qq >/dev/null
  "${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null </dev/null \
    || stop "apt-get could not install: $*"
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

pip_quietly() { "$environment/bin/python" -m pip --disable-pip-version-check -qq --no-input "$@" >&2; }

# torch for a machine without an NVIDIA driver: the newest CPU build pip can see, if there is one.
install_torch() {
  local build
  if [ "$(uname -s)" = Linux ] && ! has_nvidia; then
    build=$("$environment/bin/python" -m pip index versions torch 2>/dev/null \
      | awk -F': ' '/^Available versions/ { n = split($2, all, /, */)
          for (i = 1; i <= n; i++) if (all[i] ~ /\+cpu$/) { print all[i]; exit } }' || true)
    if [ -n "$build" ]; then
      say "No NVIDIA driver here: installing the CPU build, torch $build."
      pip_quietly install "torch==$build" && return
    fi
    say "No NVIDIA driver here, and pip knows no CPU build of torch: installing the default build (large)."
  fi
  pip_quietly install torch
}

# What the environment was made from; another answer means it must be made again.
fingerprint() { printf '%s %s' "$root" "$(cksum <"$root/pyproject.toml")"; }

# Makes .venv with the project in it, unless it stands already; a dependency group may be named.
make_environment() {
  local stamp=$environment/.made-from-${1:-studio}
  [ ! -e "$stamp" ] || [ "$(cat "$stamp")" != "$(fingerprint)" ] || return 0
  if [ "${1:-studio}" = studio ]; then install_studio; else make_environment studio; install_group "$1"; fi
  fingerprint >"$stamp"
}

install_studio() {
  local python
  python=$(find_python)
  if ! "$environment/bin/python" -c 'import pip' 2>/dev/null; then
    say "Making the environment in $environment with $("$python" --version)."
    "$python" -m venv --clear "$environment"
  fi
  "$environment/bin/python" -c 'import torch' 2>/dev/null || install_torch
  say "Installing SmartHDR Studio and its libraries."
  pip_quietly install --editable "$root"
}

# The packages of one dependency group of pyproject.toml.
install_group() {
  local list=$environment/$1.txt
  "$environment/bin/python" - "$root/pyproject.toml" "$1" >"$list" <<'PYTHON'
import sys, tomllib
with open(sys.argv[1], "rb") as project:
    print(*tomllib.load(project)["dependency-groups"][sys.argv[2]], sep="\n")
PYTHON
  say "Installing the tools of the group '$1'."
  pip_quietly install --requirement "$list"
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
