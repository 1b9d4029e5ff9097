#!/usr/bin/env bash
# Checks a proposed change and says what it does to customers. Needs no key and no token, and runs nothing of what it
# reads: both revisions are read as git objects, and never checked out.
#
#   TENANTRY_BASE      where the change begins; compared is what has changed since it left there
#   TENANTRY_HEAD      where it leads
#   TENANTRY_PROJECT   the project's folder; `.` when left out
#   TENANTRY_LABELS    a label a line, as they are or in JSON; `tenantry-allow:GUARD=NUMBER` lets a guard pass
#   TENANTRY_NAME      tells several projects of one repository apart: each has a comment of its own
#   TENANTRY_OUT       where to put comment.md, plan.txt and plan.json
#
# Ends as `tenantry plan` does: 0, 1 for errors in the inputs, 6 for a guard.
set -euo pipefail

project="${TENANTRY_PROJECT:-.}"
out="${TENANTRY_OUT:-${RUNNER_TEMP:-.}/tenantry-plan}"
# Both sides of every run below are decided for the same instant.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(date +%s)}"
export SOURCE_DATE_EPOCH

commit() {
  git -C "$project" rev-parse --verify --quiet --end-of-options "$1^{commit}" || {
    echo "::error title=tenantry plan::a revision is not here; the checkout needs fetch-depth: 0" >&2
    exit 2
  }
}

name="${TENANTRY_NAME:-}"
[[ "$name" =~ ^[a-z0-9-]{0,40}$ ]] || {
  echo "::error title=tenantry plan::a name is made of lower-case letters, digits and hyphens" >&2
  exit 2
}

base="$(commit "${TENANTRY_BASE:?where the change begins}")"
head="$(commit "${TENANTRY_HEAD:?where the change leads}")"
# What others have done meanwhile is not this change's.
base="$(git -C "$project" merge-base "$base" "$head")" || {
  echo "::error title=tenantry plan::the two revisions have no commit in common here; the checkout needs fetch-depth: 0" >&2
  exit 2
}

allow=()
while IFS= read -r label; do
  if [[ "$label" =~ ^[[:space:]]*\"?tenantry-allow:([a-z_]+=[0-9]+)\"?,?$ ]]; then
    allow+=(--allow "${BASH_REMATCH[1]}")
  fi
done <<<"${TENANTRY_LABELS:-}"

plan() {
  tenantry --project "$project" plan "$base..$head" ${allow[@]+"${allow[@]}"} "$@"
}

# The comment that stands there until there is a plan again.
no_plan() {
  printf '%s\n' '<!-- tenantry:plan -->' '### tenantry plan' '' '**There is no plan: the project has errors.** They stand at their lines, and in the summary of the run.' >"$out/comment.md"
  echo 'There is no plan: the project has errors.' >"$out/plan.txt"
}

# The name goes into the marker by which the comment is found again, and into its title.
finish() {
  if [ -n "$name" ]; then
    sed -i.bak -e "1s/tenantry:plan/tenantry:plan $name/" -e "2s/tenantry plan/tenantry plan of $name/" "$out/comment.md"
    rm "$out/comment.md.bak"
  fi
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'code=%s\nfolder=%s\n' "$1" "$out" >>"$GITHUB_OUTPUT"
  fi
  exit "$1"
}

mkdir -p "$out"
rm -f "$out/comment.md" "$out/plan.txt" "$out/plan.json"

code=0
tenantry --project "$project" check --rev "$head" --format github || code=$?
case "$code" in
  0 | 6) ;; # of an empty project the plan has more to say
  1)
    no_plan
    finish 1
    ;;
  *) exit "$code" ;;
esac

code=0
plan --format markdown --out "$out/plan.json" >"$out/comment.md" || code=$?
case "$code" in
  0 | 6) ;;
  1)
    no_plan
    finish 1
    ;;
  *)
    rm -f "$out/comment.md"
    exit "$code"
    ;;
esac
# Here it is a label that lets a guard pass, and no flag.
if [ "$code" -eq 6 ]; then
  labels="$(jq --raw-output '
    [.guards[] | select(.outcome == "stopped" and .guard != "empty") | "`tenantry-allow:\(.guard)=\(.number)`"] | join(", ")
  ' "$out/plan.json")"
  [ -z "$labels" ] ||
    printf '\n**To let it pass all the same**, whoever may triage sets as labels: %s. The plan is then made again.\n' "$labels" >>"$out/comment.md"
fi
# The guards have spoken already.
plan --format human >"$out/plan.txt" 2>/dev/null || true
plan --format github 2>/dev/null || true
finish "$code"
