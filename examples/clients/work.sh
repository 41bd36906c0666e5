# The same morning's work for every command-line stack: only how a call is made is the stack's own.
#
# No stack by itself: the other files read it. A stack defines the function
#     send METHOD URL CONTENT_FILE FIELD...
# (no content: an empty name), which leaves the answer in $answer and the status in $status, 000 for
# none; `put` if it uploads in another way; and then calls `work`.

mode=${1:-usual}
api="$QUBS_BASE_URL/integrations/v1/$QUBS_DOMAIN"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
answer=$folder/answer
unfinished=0

uuid() { cat /proc/sys/kernel/random/uuid; }

put() { send "$@"; }

# Percent-encodes everything but what never needs it.
encode() {
    printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ \(..\)/%\1/g'
}

# The JSON in $answer. White space and escapes may stand anywhere: where jq is at hand, leave that to it.
json() {
    if [ "$mode" != right ]; then
        cat "$answer"
        return
    fi
    tr -d '\n\t' < "$answer" | awk '
        BEGIN { for (i = 32; i < 127; i++) text[sprintf("%02x", i)] = sprintf("%c", i)
                text["22"] = "\\\""; text["5c"] = "\\\\" }
        { while (match($0, /\\u00[2-7][0-9a-f]/)) {
              printf "%s%s", substr($0, 1, RSTART - 1), text[substr($0, RSTART + 4, 2)]
              $0 = substr($0, RSTART + 6)
          }
          print }' | sed 's/" *: *"/":"/g'
}

# member NAME: the text of a member of the JSON in $answer.
member() {
    json | sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p' | head -n 1
}

get_token() {
    # In a file, since everybody can read a command line.
    printf 'grant_type=client_credentials&client_id=%s&client_secret=%s' \
        "$(encode "$QUBS_CLIENT_ID")" "$(encode "$QUBS_CLIENT_SECRET")" > "$folder/form"
    send POST "$QUBS_TOKEN_URL" "$folder/form" "Content-Type: application/x-www-form-urlencoded"
    token=$(member access_token)
    [ "$status" = 200 ]
}

# call METHOD PATH [JSON]
call() {
    key=""
    content=""
    if [ $# = 3 ]; then
        # The key and the octets are made once: whoever repeats the request cannot change them.
        key=$(uuid)
        content=$folder/content
        printf %s "$3" > "$content"
    fi
    attempt_with_token "$1" "$2"
    if [ "$status" = 401 ] && [ "$mode" = right ]; then
        get_token && attempt_with_token "$1" "$2"
    fi
    [ "$status" = 200 ] || [ "$status" = 201 ]
}

attempt_with_token() {
    if [ -n "$key" ]; then
        send "$1" "$api/$2" "$content" "Authorization: Bearer $token" "X-Correlation-Id: $(uuid)" \
            "Content-Type: application/json" "Idempotency-Key: $key"
    else
        send "$1" "$api/$2" "" "Authorization: Bearer $token" "X-Correlation-Id: $(uuid)"
    fi
}

pages() {
    following=""
    while :; do
        call GET "reporting/appointments/pending?pageSize=25$following" || return 1
        next=$(member nextToken)
        [ -n "$next" ] || return 0
        following="&nextToken=$(encode "$next")"
    done
}

comment() {
    call POST reporting/appointments/A123456/comments '{"commentText":"Images received."}'
}

upload() {
    printf '%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count 0/Kids[]>>endobj\n%%%%EOF\n' > "$folder/report.pdf"
    tries=1
    [ "$mode" = right ] && tries=6
    while [ $tries -gt 0 ]; do
        # A new URL, with a new key, each time: no file is put twice to the same one.
        call POST reporting/appointments/A123456/report/attachments \
            '{"items":[{"fileName":"report.pdf","contentType":"application/pdf"}]}' || return 1
        url=$(member uploadUrl | sed 's/\\u0026/\&/g; s/\\\//\//g')
        put PUT "$url" "$folder/report.pdf" "Content-Type: application/pdf"
        [ "$status" = 200 ] && return 0
        tries=$((tries - 1))
        sleep 0.3
    done
    return 1
}

report() {
    call POST reporting/appointments/A123456/report \
        '{"reportText":"No acute abnormality detected.","reportStatus":"final"}'
}

# step NAME COMMAND...: what fails for good is told and passed over, as a nightly job would.
step() {
    name=$1
    shift
    "$@" && return 0
    echo "$name: status $status" >&2
    unfinished=1
    return 1
}

# Does the work and exits: 0 when all of it is done, else 1.
work() {
    if step token get_token; then
        step sites call GET sites
        step "exam codes" call GET sites/Central%20Clinic/exam-codes
        step pending pages
        step appointments call GET "appointments?startDate=$(date -d -7days +%F)&endDate=$(date -d 7days +%F)&skip=0&take=100"
        for path in reporting/appointments/A123456 appointments/A123456 appointments/operational/by-id/A123456; do
            step "$path" call GET "$path"
        done
        step comment comment
        step upload upload && step report report
    fi
    exit $unfinished
}
