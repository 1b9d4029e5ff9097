#!/usr/bin/env bash
# Puts a plan under a pull request: edits the one comment that an earlier run has left, or writes the first.
#
#   TENANTRY_COMMENT   the file; its first line is a marker, by which the comment is found again
#   TENANTRY_NUMBER    the pull request
#   TENANTRY_AUTHOR    who the token writes as; only that account's comments are edited
#   GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL   as GitHub Actions has them
set -euo pipefail
# shellcheck source=actions/comment/github.sh
source "$(dirname "${BASH_SOURCE[0]}")/github.sh"

comment="${TENANTRY_COMMENT:?a file}"
number="${TENANTRY_NUMBER:-}"
author="${TENANTRY_AUTHOR:-github-actions[bot]}"
[[ "$number" =~ ^[0-9]{1,12}$ ]] || fail "\`TENANTRY_NUMBER\` is not the number of a pull request" 2
marker="$(head -n 1 "$comment")"
[[ "$marker" =~ ^'<!-- tenantry:plan'(' '[a-z0-9-]{1,40})?' -->'$ ]] || fail "the comment does not begin with its marker" 2

jq --raw-input --slurp '{body: .}' "$comment" >"$work/body.json"

# Others may write the marker too. Theirs is never touched.
id=""
page=1
while [ -z "$id" ]; do
  api GET "issues/$number/comments?per_page=100&page=$page" --retry 3 >"$work/comments.json" || fail "the comments cannot be read"
  id="$(jq --raw-output --arg author "$author" --arg marker "$marker" \
    '[.[] | select(.user.login == $author and (.body // "" | startswith($marker))) | .id][0] // empty' "$work/comments.json")"
  [ "$(jq length "$work/comments.json")" -eq 100 ] || break
  page=$((page + 1))
done

send() {
  api "$1" "$2" --header 'Content-Type: application/json' --data-binary "@$work/body.json" >"$work/answer.json"
}

if [ -n "$id" ]; then
  send PATCH "issues/comments/$id" || fail "the comment cannot be edited"
  echo "edited comment $id"
else
  send POST "issues/$number/comments" || fail "the comment cannot be written; the job needs \`pull-requests: write\`"
  echo "wrote comment $(jq .id "$work/answer.json")"
fi
