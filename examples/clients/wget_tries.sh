#!/bin/sh
# wget, one process a call: `usual` with --tries and --retry-on-http-error, `right` with a loop around it.
#
# packages: wget (Debian)
. "${0%/*}/work.sh"

# run_wget OPTIONS METHOD URL CONTENT FIELD...
run_wget() {
    words=$1 method=$2 target=$3 body=$4
    shift 4
    for field in "$@"; do
        shift
        set -- "$@" "--header=$field"
    done
    [ -n "$body" ] && set -- "$@" "--body-file=$body"
    # shellcheck disable=SC2086 # The options are words.
    if wget --no-verbose --server-response $words --method="$method" "$@" \
        --output-document="$answer" "$target" 2> "$folder/log"; then
        finished=yes
    else
        finished=no
    fi
    status=$(sed -n 's/^  HTTP\/[0-9.]* \([0-9]*\).*/\1/p' "$folder/log" | tail -n 1)
    # A 200 whose content broke off, or that had no status line at all, is no answer.
    if [ -z "$status" ] || { [ "$finished" = no ] && [ "$status" -lt 300 ]; }; then status=000; fi
}

once() { run_wget "--tries=1 --timeout=5" "$@"; }

field() {
    sed -n 's/^  '"$1"': *//Ip' "$folder/log" | tail -n 1 | tr -d '\r'
}

# pause ATTEMPT: as Retry-After says, else doubling with jitter.
pause() {
    told=$(field Retry-After)
    case $told in
    '') awk -v n="$1" -v seed="$(od -An -N2 -tu2 /dev/urandom)" \
        'BEGIN { srand(seed); print 0.2 * 2 ^ n * (0.75 + rand() / 2) }' ;;
    *[!0-9]*) echo $(($(date -d "$told" +%s) - $(date -d "$(field Date)" +%s))) ;;
    *) echo "$told" ;;
    esac
}

send() {
    if [ "$mode" = usual ]; then
        run_wget "--tries=5 --retry-on-http-error=429,500,502,503,504" "$@"
        return
    fi
    attempt=0
    while :; do
        once "$@"
        case $status in 000 | 429 | 500 | 502 | 503 | 504) ;; *) return ;; esac
        [ $attempt -lt 5 ] || return
        sleep "$(pause $attempt)"
        attempt=$((attempt + 1))
    done
}

put() {
    if [ "$mode" = usual ]; then send "$@"; else once "$@"; fi
}

work
