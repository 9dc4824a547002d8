#!/usr/bin/env bash
# Install the Debian packages that the tests need, when they are missing; without root, say how and stop.
set -euo pipefail
cd "$(dirname "$0")"

command -v dpkg-query >/dev/null || exit 0 # not a Debian machine: the tests say themselves what they miss
missing=()
while read -r package; do
  dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done <debian-packages.txt
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "the tests need Debian packages: sudo apt-get install --yes ${missing[*]}" >&2
  exit 1
fi
apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
