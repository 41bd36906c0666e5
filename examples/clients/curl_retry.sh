#!/bin/sh
# curl, one process a call as scripts do it: `usual` with --retry, `right` with two more options.
#
# packages: curl (Debian)
. "${0%/*}/work.sh"

if [ "$mode" = right ]; then
    # Without --fail, or --retry-all-errors would also repeat 401 and 404.
    options="--retry 5 --retry-all-errors --max-time 5"
else
    options="--retry 5"
fi

send() {
    # shellcheck disable=SC2086 # The options are words.
    run_curl "$options" "$@"
}

put() {
    # A failed upload wants a new URL, so curl must not repeat it.
    if [ "$mode" = right ]; then run_curl "--max-time 5" "$@"; else send "$@"; fi
}

# run_curl OPTIONS METHOD URL CONTENT FIELD...
run_curl() {
    words=$1 method=$2 target=$3 body=$4
    shift 4
    for field in "$@"; do
        shift
        set -- "$@" --header "$field"
    done
    [ -n "$body" ] && set -- "$@" --data-binary "@$body"
    # A file, since curl cannot begin anew on /dev/null.
    # shellcheck disable=SC2086
    status=$(curl --silent --show-error $words --request "$method" "$@" \
        --output "$answer" --write-out '%{http_code}' "$target") || status=000
}

work
