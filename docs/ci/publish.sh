#!/bin/sh
# For any other CI, and for cron: publishes a commit. In the project's folder; keys as docs/keys.md says.
set -eu
revision="${1:-HEAD}"

# Real keys or none: without a root below keys/ a compile would make throw-away ones.
test -e keys/root/1.root.json

for _ in 1 2 3; do
  tenantry compile --rev "$revision" --onto all --keys keys --out out
  code=0
  tenantry publish --out out || code=$?
  # 4: somebody else was first, so compile onto that.
  [ "$code" -eq 4 ] || break
done
exit "$code"
