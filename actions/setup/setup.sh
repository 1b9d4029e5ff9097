#!/usr/bin/env bash
# Puts `tenantry` on the path of the steps that follow: from an archive of which the digest is known, or else built from
# the source that this script came with.
#
#   TENANTRY_ARCHIVE   where the archive is, a .tar.gz with `tenantry` in it or in its one folder; builds when empty
#   TENANTRY_SHA256    its SHA-256; an archive without one is refused
#   TENANTRY_TOOLS     where to put it; `bin/` in there comes on the path
set -euo pipefail

fail() {
  echo "::error title=tenantry setup::$1"
  exit "${2:-2}"
}

sum() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi
}

tools="${TENANTRY_TOOLS:-${RUNNER_TEMP:-${HOME}/.cache}/tenantry-tools}"
mkdir -p "$tools/bin"

if [ -n "${TENANTRY_ARCHIVE:-}" ]; then
  [[ "${TENANTRY_SHA256:-}" =~ ^[0-9a-f]{64}$ ]] ||
    fail "an archive needs its SHA-256, 64 hex digits in lower case: copy it from the release page, not from the archive's own server"
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
  curl --fail --silent --show-error --location --retry 3 --max-time 600 \
    --output "$work/archive.tar.gz" --url "$TENANTRY_ARCHIVE" || fail "the archive cannot be fetched" 3
  found="$(sum "$work/archive.tar.gz")"
  [ "${found%% *}" = "$TENANTRY_SHA256" ] ||
    fail "the archive is not the one that was asked for: its SHA-256 is ${found%% *}" 5
  mkdir "$work/archive"
  tar --extract --gzip --no-same-owner --file "$work/archive.tar.gz" --directory "$work/archive"
  binary="$(find "$work/archive" -maxdepth 2 -type f -name tenantry -print -quit)"
  [ -n "$binary" ] || fail "there is no \`tenantry\` in the archive"
  install -m 755 "$binary" "$tools/bin/tenantry"
else
  source="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
  cargo install --quiet --locked --path "$source" --root "$tools"
fi

"$tools/bin/tenantry" --version
if [ -n "${GITHUB_PATH:-}" ]; then
  echo "$tools/bin" >>"$GITHUB_PATH"
fi
