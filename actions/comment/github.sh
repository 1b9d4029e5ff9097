# What the scripts beside this one share: GitHub's API through curl. To be sourced.
# shellcheck shell=bash

fail() {
  echo "::error title=tenantry ${job:-comment}::$1" >&2
  exit "${2:-3}"
}

[[ "${GITHUB_REPOSITORY:-}" =~ ^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$ ]] || fail "GITHUB_REPOSITORY is not a repository" 2
work="${work:-$(mktemp -d)}"
trap 'rm -rf "$work"' EXIT
# In a file, since everybody on a machine can read the arguments of a process.
(umask 077 && printf 'Authorization: Bearer %s\nAccept: application/vnd.github+json\nX-GitHub-Api-Version: 2022-11-28\n' "${GITHUB_TOKEN:?a token}" >"$work/headers")

# api METHOD PATH [MORE FOR CURL]
api() {
  local method="$1" path="$2"
  shift 2
  curl --fail --silent --show-error --max-time 120 --request "$method" --header "@$work/headers" "$@" \
    --url "${GITHUB_API_URL:-https://api.github.com}/repos/$GITHUB_REPOSITORY/$path"
}
