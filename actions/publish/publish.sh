#!/usr/bin/env bash
# Compiles a commit onto what the stores show, and publishes that. Whoever else publishes meanwhile makes it begin again.
#
#   TENANTRY_PROJECT    the project's folder; `.` when left out
#   TENANTRY_REVISION   the commit; HEAD when left out
#   TENANTRY_STORES     a store a line; all stores when left out
#   TENANTRY_KEYS       the folder with `root/`; `keys` in the project's folder when left out
#   TENANTRY_ALLOW      guards to let pass, `revocations=7`, one a line
#   GITHUB_TOKEN        with a token that may read pull requests, a label `tenantry-allow:revocations=7` of the one that was
#                       merged as this commit lets pass as well
#   TENANTRY_TRIES, TENANTRY_WAIT   how often it begins again, and after how many seconds
#   TENANTRY_AWS_ROLE   a role of AWS to take on, as whatever job GitHub says this is
#   TENANTRY_ENTITLEMENT_KEY, TENANTRY_FRESHNESS_KEY, TENANTRY_ADDRESS_SECRET   docs/keys.md
#
# Ends as `tenantry publish` does.
set -euo pipefail
job=publish
# shellcheck source=actions/publish/jobs.sh
source "$(dirname "${BASH_SOURCE[0]}")/jobs.sh"

revision="$(git -C "$project" rev-parse --verify --quiet --end-of-options "${TENANTRY_REVISION:-HEAD}^{commit}")" ||
  fail "the revision is not here" 2
reason="$(git -C "$project" log -1 --format=%s "$revision" --)"
onto=()
for ((at = 1; at < ${#stores[@]}; at += 2)); do onto+=(--onto "${stores[at]}"); done
[ "${#onto[@]}" -gt 0 ] || onto=(--onto all)

allow=()
while IFS= read -r line; do
  [ -n "$line" ] || continue
  [[ "$line" =~ ^[a-z_]+=[0-9]+$ ]] || fail "what is allowed is a guard and the number that it found, such as \`revocations=7\`" 2
  allow+=(--allow "$line")
done <<<"${TENANTRY_ALLOW:-}"

# What reviewers have let pass. Only who may triage sets labels, and only an exact number counts.
if [ -n "${GITHUB_TOKEN:-}" ]; then
  # shellcheck source=actions/comment/github.sh
  source "$(dirname "${BASH_SOURCE[0]}")/../comment/github.sh"
  if api GET "commits/$revision/pulls?per_page=100" --retry 3 >"$work/pulls.json"; then
    while IFS= read -r label; do
      if [[ "$label" =~ ^tenantry-allow:(revocations=[0-9]+)$ ]]; then allow+=(--allow "${BASH_REMATCH[1]}"); fi
    done < <(jq --raw-output --arg sha "$revision" \
      '.[] | select(.merged_at != null and .merge_commit_sha == $sha) | .labels[].name' "$work/pulls.json")
  else
    echo "::warning title=tenantry publish::the labels of the pull request cannot be read"
  fi
fi

tenantry --project "$project" check --rev "$revision" --format github

for ((try = 1; ; try++)); do
  rm -rf "$work/out"
  tenantry --project "$project" compile --rev "$revision" "${onto[@]}" --keys "$keys" --out "$work/out"
  code=0
  tenantry --project "$project" publish --out "$work/out" ${stores[@]+"${stores[@]}"} ${allow[@]+"${allow[@]}"} --reason="$reason" --format json >"$work/said" || code=$?
  cat "$work/said"
  # Somebody else was first: what was compiled does not follow from what the stores show now.
  if [ "$code" -ne 4 ] || [ "$try" -ge "${TENANTRY_TRIES:-3}" ]; then break; fi
  echo "somebody else was first; once more in ${TENANTRY_WAIT:-30} s"
  sleep "${TENANTRY_WAIT:-30}"
done

last="$(jq --compact-output 'select(.event == "done")' "$work/said" | tail -n 1)"
publication="$(jq --raw-output '[.stores[].publication] | max // empty' <<<"${last:-null}" 2>/dev/null || true)"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  echo "publication=$publication" >>"$GITHUB_OUTPUT"
fi
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -n "$last" ]; then
  jq --raw-output '
    "### tenantry publish\n\n| store | publication | outcome | objects | timestamps |\n|---|---:|---|---:|---:|",
    (.stores[] | "| `\(.store)` | \(.publication) | \(.outcome) | \(.objects) | \(.timestamps) |"),
    (.failed[] | "| `\(.store // "all")` | | **failed**, code \(.exit) | | |")
  ' <<<"$last" >>"$GITHUB_STEP_SUMMARY"
fi
case "$code" in
  0) ;;
  4) fail "somebody else was first, again and again; run it once more" 4 ;;
  5) fail "something in a store or in what was compiled is not what it should be; the log names it, docs/publishing.md says what to do" 5 ;;
  6) fail "a guard stopped it; the log says which, and what would let it pass" 6 ;;
  *) fail "not everything was published; the log says what, and running it again goes on from there" "$code" ;;
esac
