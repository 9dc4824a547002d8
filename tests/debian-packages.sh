#!/usr/bin/env bash
# Install the Debian packages of a list, by default those that the tests need, when they are missing; without root, say
# how and stop. A package that brings a service is installed without starting it.
#
#     tests/debian-packages.sh [LIST.txt]
set -euo pipefail
list=${1:-$(dirname "$0")/debian-packages.txt}

command -v dpkg-query >/dev/null || exit 0 # not a Debian machine: the tests say themselves what they miss
missing=()
while read -r package; do
  dpkg-query --show --showformat '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done <"$list"
((${#missing[@]})) || exit 0

if ((EUID != 0)); then
  echo "Debian packages are missing: sudo apt-get install --yes ${missing[*]}" >&2
  exit 1
fi
policy=/usr/sbin/policy-rc.d # source: invoke-rc.d(8); 101: the action is not allowed
if [[ ! -e $policy ]]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update --quiet=2
DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}" >/dev/null
