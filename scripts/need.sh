#!/bin/sh
# Find a program that the set-up needs, install it when root on Debian, or say in one sentence what to do.
# Usage: scripts/need.sh venv|node|git...   Exit 0: it is there. Exit 1: it is not, and the sentence was printed.
set -eu

have() {
  case "$1" in
    venv) python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

package() {
  case "$1" in
    venv) echo python3-venv ;;
    *) echo "$1" ;;
  esac
}

have "$1" && exit 0
name=$(package "$1")
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing $name (Debian) ..." >&2
  apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$name" >/dev/null
  have "$1" && exit 0
fi
echo "Interlock's set-up needs $name (python3 must be 3.11 or newer): apt-get install $name, then run make again." >&2
exit 1
