#!/usr/bin/env bash
# Installs from Debian's (or Ubuntu's) packages what the tests need beside Node: a browser for the
# page, fonts for its screenshot, the linter of shell scripts, Prometheus, which the tests run
# themselves, and a clock that they can move. Only what is missing; when all is there it does nothing, asks nobody, and takes a few
# milliseconds.
set -euo pipefail

say() { printf 'setup-debian: %s\n' "$*"; }

die() {
  say "$*" >&2
  exit 1
}

missing=()

# Programs are looked for by name, not by package: where they came from does not matter.
for program in chromium shellcheck prometheus; do
  command -v "$program" >/dev/null || missing+=("$program")
done

# These have no program to look for. Of the fonts Liberation stands in for Arial and Courier, and DejaVu has the
# arrows and symbols that Liberation lacks.
for package in fonts-liberation fonts-dejavu-core libfaketime; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || status=
  [[ $status == installed ]] || missing+=("$package")
done

if ((${#missing[@]} == 0)); then
  say 'all that the tests need is installed'
  exit
fi

command -v apt-get >/dev/null ||
  die "this system has no apt-get: install these (or what they are called here) by hand: ${missing[*]}"
as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || die "run as root, or install sudo; missing: ${missing[*]}"
  as_root=(sudo)
fi

# The tests run a Prometheus of their own; the service of the package would be one more, for ever.
if [[ " ${missing[*]} " == *' prometheus '* && -d /run/systemd/system ]]; then
  "${as_root[@]}" systemctl mask --quiet prometheus.service
fi

say "installing ${missing[*]}"
# A package source that has gone need not matter: what is missing may come from the others.
"${as_root[@]}" apt-get update -qq || say 'apt-get update failed (see above), going on with the package lists that are there' >&2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq -o DPkg::Lock::Timeout=120 --no-install-recommends "${missing[@]}" >/dev/null ||
  die "apt-get could not install ${missing[*]} (see above): mend its package sources and run this again"
say 'done'
