#!/usr/bin/env bash
# Signs again what the stores show before it grows too old. The key for timestamps is enough.
#
#   TENANTRY_PROJECT    the project's folder; `.` when left out
#   TENANTRY_STORES     a store a line; all stores when left out
#   TENANTRY_KEYS       the folder with `root/`; `keys` in the project's folder when left out
#   TENANTRY_TRIES, TENANTRY_WAIT   how often it begins again when somebody publishes meanwhile, and after how many seconds
#   TENANTRY_AWS_ROLE   a role of AWS to take on, as whatever job GitHub says this is
#   TENANTRY_FRESHNESS_KEY   docs/keys.md
#
# Ends as `tenantry refresh` does; docs/operations.md says what each code means.
set -euo pipefail
job=refresh
# shellcheck source=actions/publish/jobs.sh
source "$(dirname "${BASH_SOURCE[0]}")/../publish/jobs.sh"

for ((try = 1; ; try++)); do
  code=0
  tenantry --project "$project" refresh ${stores[@]+"${stores[@]}"} --keys "$keys" || code=$?
  if [ "$code" -ne 4 ] || [ "$try" -ge "${TENANTRY_TRIES:-3}" ]; then break; fi
  echo "somebody is publishing; once more in ${TENANTRY_WAIT:-60} s"
  sleep "${TENANTRY_WAIT:-60}"
done
case "$code" in
  0) ;;
  4) fail "somebody else was at work each time; run it once more" 4 ;;
  5) fail "something in a store was not signed by our keys: find out who wrote it, then compile and publish" 5 ;;
  6) fail "entitlements run out within two days and their key is not here, or the root has expired: publish, or renew the root" 6 ;;
  *) fail "not everything was signed again; run it once more" "$code" ;;
esac
