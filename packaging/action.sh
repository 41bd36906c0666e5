#!/usr/bin/env bash
# The step of action.yml: fetches a release where one is asked for, runs the client, and shows the verdict.
#
# Reads ACTION_COMMAND, ACTION_SUITE, ACTION_BASELINE, ACTION_VERSION, ACTION_RELEASES, and the runner's RUNNER_TEMP and
# GITHUB_STEP_SUMMARY. The exit status is that of `qubs-mock run`; 64 where an input is wrong.
set -euo pipefail

fail() {
    # A workflow command: GitHub shows the line with the step.
    echo "::error title=qubs-mock::$1"
    exit 64
}

if [ -z "${ACTION_COMMAND:-}" ]; then fail "the input command is empty"; fi
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/qubs-mock.XXXXXX")
trap 'rm -rf "$folder"' EXIT
program=qubs-mock
version=${ACTION_VERSION:-}
if [ -n "$version" ]; then
    if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then fail "the input version is not such as 0.2.0"; fi
    archive=qubs-mock-$version-linux-x86_64.tar.gz
    for file in "$archive" SHA256SUMS; do
        curl -fsSL -o "$folder/$file" "$ACTION_RELEASES/v$version/$file" \
            || fail "there is no $file of release $version"
    done
    (cd "$folder" && grep " $archive\$" SHA256SUMS | sha256sum --check --quiet --strict) \
        || fail "$archive is not what SHA256SUMS says"
    tar -xzf "$folder/$archive" -C "$folder"
    program=$folder/qubs-mock-$version-linux-x86_64/qubs-mock
elif ! command -v qubs-mock >/dev/null; then
    fail "there is no qubs-mock on PATH: put one there, or say which version"
fi

options=(--report "$folder/verdict.md")
if [ -n "${ACTION_SUITE:-}" ]; then options+=("--suite=$ACTION_SUITE"); fi
if [ -n "${ACTION_BASELINE:-}" ]; then options+=("--baseline=$ACTION_BASELINE"); fi
status=0
# The summary is written here: releases before 0.3 do not write it themselves.
GITHUB_STEP_SUMMARY='' "$program" run "${options[@]}" -- bash -c "$ACTION_COMMAND" || status=$?
if [ -n "${GITHUB_STEP_SUMMARY:-}" ] && [ -s "$folder/verdict.md" ]; then
    cat "$folder/verdict.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$status"
