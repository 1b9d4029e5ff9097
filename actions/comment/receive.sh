#!/usr/bin/env bash
# Puts the plan of a fork under its pull request. The run that made the plan had no token, and whoever proposed the change
# could make it upload anything; so nothing of it is believed but that it is text. Which pull request it belongs to is
# asked of GitHub. The text is shown inside a code block that it cannot leave, where nothing is a link, a mention or markup.
#
#   TENANTRY_NAME                          which of several projects of the repository; the artifact is tenantry-plan-NAME then
#   TENANTRY_RUN                           the run that uploaded the plan
#   TENANTRY_HEAD, _HEAD_OWNER, _HEAD_BRANCH   what it ran on: commit, owner and branch, from the event
#   GITHUB_TOKEN, GITHUB_REPOSITORY, GITHUB_API_URL   as GitHub Actions has them
set -euo pipefail
# shellcheck source=actions/comment/github.sh
source "$(dirname "${BASH_SOURCE[0]}")/github.sh"

run="${TENANTRY_RUN:-}"
[[ "$run" =~ ^[0-9]{1,18}$ ]] || fail "\`TENANTRY_RUN\` is not the number of a run" 2

name="${TENANTRY_NAME:-}"
[[ "$name" =~ ^[a-z0-9-]{0,40}$ ]] || fail "a name is made of lower-case letters, digits and hyphens" 2
artifact_name="tenantry-plan${name:+-$name}"

# Bytes of the artifact and of the text that are looked at.
most_zipped=2000000
most_text=400000

branch="$(jq --raw-output --null-input --arg it "${TENANTRY_HEAD_OWNER:-}:${TENANTRY_HEAD_BRANCH:-}" '$it | @uri')"
api GET "pulls?state=open&per_page=100&head=$branch" --retry 3 >"$work/pulls.json" || fail "the pull requests cannot be read"
number="$(jq --raw-output --arg sha "${TENANTRY_HEAD:-}" --arg repository "$GITHUB_REPOSITORY" \
  '[.[] | select(.head.sha == $sha and .base.repo.full_name == $repository) | .number][0] // empty' "$work/pulls.json")"
if [ -z "$number" ]; then
  echo "no open pull request ends with this commit any more"
  exit 0
fi

api GET "actions/runs/$run/artifacts?per_page=100&name=$artifact_name" --retry 3 >"$work/artifacts.json" || fail "the artifacts cannot be read"
artifact="$(jq --argjson most "$most_zipped" --arg name "$artifact_name" \
  '[.artifacts[] | select(.name == $name and .expired == false and .size_in_bytes <= $most) | .id][0] // empty' "$work/artifacts.json")"
if [ -z "$artifact" ]; then
  echo "the run has left no plan of a decent size"
  exit 0
fi
# curl leaves the token behind when it is sent on to another host.
api GET "actions/artifacts/$artifact/zip" --location --max-filesize "$most_zipped" | head -c "$most_zipped" >"$work/plan.zip" ||
  fail "the plan cannot be fetched"
# One member, to a pipe that stops reading: no path, link or size in the archive counts for anything.
unzip -p "$work/plan.zip" plan.txt </dev/null 2>/dev/null | head -c "$most_text" >"$work/plan.txt" || true
if ! [ -s "$work/plan.txt" ]; then
  echo "there is no plan in what the run has left"
  exit 0
fi

# Backticks would end the block. Controls, direction marks and what is invisible would show another text than there is.
jq --raw-input --slurp --join-output --arg name "$name" --arg url "${GITHUB_SERVER_URL:-https://github.com}/$GITHUB_REPOSITORY/actions/runs/$run" '
  def shown:
    if . == 10 then .
    elif . == 96 then 39
    elif . < 32 or (. >= 127 and . <= 160) or . == 173 or . == 1564 or . == 6158
      or (. >= 8203 and . <= 8207) or (. >= 8232 and . <= 8238) or (. >= 8288 and . <= 8303)
      or . == 65279 or (. >= 65529 and . <= 65531) or (. >= 917504 and . <= 921599) then 65533
    else . end;
  (explode | map(shown)) as $text
  | ($text | .[:55000] | implode) as $first
  | (if $name == "" then ["", ""] else [" " + $name, " of " + $name] end) as [$mark, $of]
  | "<!-- tenantry:plan\($mark) -->\n### tenantry plan\($of), from a fork\n\n"
  + "Made by [a run](\($url)) of the proposed change itself, without any secret. Whoever proposes a change can also change what that run says.\n\n"
  + "```text\n" + $first + "\n```\n"
  + if ($text | length) > 55000 then "\nThe rest is in the artifact of the run.\n" else "" end
' "$work/plan.txt" >"$work/comment.md"

TENANTRY_COMMENT="$work/comment.md" TENANTRY_NUMBER="$number" "$(dirname "${BASH_SOURCE[0]}")/comment.sh"
