# What publishing and refreshing share. To be sourced.
# shellcheck shell=bash

# Says it where people look, and ends.
fail() {
  echo "::error title=tenantry ${job:-job}::$1"
  exit "$2"
}

# Real keys, or nothing: without them a compile makes throw-away ones, and no shell in the field trusts those.
real_keys() {
  [ -e "$keys/root/1.root.json" ] ||
    fail "there is no root below the keys of the project: commit \`keys/root/\`. Throw-away keys are not for stores" 6
  if grep -q '"environment": *"development"' "$keys"/root/*.root.json; then
    fail "the root is of throw-away development keys, which are not for stores: \`tenantry keys init\` makes real ones" 6
  fi
}

# A role of AWS without any secret that lasts: GitHub says who this job is.
assume_role() {
  [ -n "${TENANTRY_AWS_ROLE:-}" ] || return 0
  [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || fail "a role needs \`permissions: id-token: write\`" 2
  AWS_WEB_IDENTITY_TOKEN_FILE="$work/identity"
  (
    umask 077
    printf 'Authorization: Bearer %s\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" >"$work/headers"
    curl --fail --silent --show-error --retry 3 --max-time 60 --header "@$work/headers" \
      --url "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" | jq --raw-output --join-output .value >"$AWS_WEB_IDENTITY_TOKEN_FILE"
  ) || fail "GitHub gives no token for the role" 3
  export AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN="$TENANTRY_AWS_ROLE" AWS_ROLE_SESSION_NAME="tenantry-${job:-job}"
}

project="${TENANTRY_PROJECT:-.}"
keys="${TENANTRY_KEYS:-$project/keys}"
work="${work:-$(mktemp -d)}"
trap 'rm -rf "$work"' EXIT
# `--store` of these commands, or all stores.
stores=()
while IFS= read -r name; do
  [ -z "$name" ] || stores+=(--store "$name")
done <<<"${TENANTRY_STORES:-}"

real_keys
assume_role
