#!/bin/sh
# curl with its own --retry, one process a call as scripts do it. CURL_OPTIONS replaces the options.
#
#     qubs-mock run --scenario flaky-network -- sh examples/libraries/curl_retry.sh

options="${CURL_OPTIONS:---retry 5}"
api="$QUBS_BASE_URL/integrations/v1/$QUBS_DOMAIN"
# A file, since curl cannot begin anew on /dev/null.
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

call() { # shellcheck disable=SC2086 -- the options are words
    curl --silent --show-error --fail $options "$@"
}

token=$(call "$QUBS_TOKEN_URL" --data grant_type=client_credentials \
    --data-urlencode "client_id=$QUBS_CLIENT_ID" --data-urlencode "client_secret=$QUBS_CLIENT_SECRET" |
    sed 's/.*"access_token":"\([^"]*\)".*/\1/')

get() {
    call --output "$answer" --header "Authorization: Bearer $token" "$api/$1"
}

get sites
get 'sites/Central%20Clinic/exam-codes'
get 'reporting/appointments/pending?pageSize=100'
get reporting/appointments/A123456
get "appointments?take=100&startDate=$(date -d -7days +%F)&endDate=$(date -d 7days +%F)"
get appointments/A123456
get appointments/operational/by-id/A123456
call --output "$answer" --header "Authorization: Bearer $token" --json '{"commentText":"Images received."}' \
    --header "Idempotency-Key: $(cat /proc/sys/kernel/random/uuid)" \
    "$api/reporting/appointments/A123456/comments"
exit 0
