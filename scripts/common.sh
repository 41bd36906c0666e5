# Sourced by the other scripts: the root of the checkout, and what a new machine lacks.
set -eu
cd "$(dirname "$0")/.."

# Installs what is missing of the libraries that are linked into the program (Debian and its
# relatives): SQLite, and OpenSSL for its libcrypto.
need_libraries() {
    local missing=""
    has_library sqlite3.h libsqlite3.a || missing="$missing libsqlite3-dev"
    has_library openssl/evp.h libcrypto.a || missing="$missing libssl-dev"
    if [ -z "$missing" ]; then return; fi
    echo "qubs-mock: missing:$missing; installing" >&2
    if ! command -v apt-get >/dev/null; then
        echo "qubs-mock: no apt-get here; install headers and static libraries of SQLite 3 and OpenSSL 3 yourself" >&2
        exit 1
    fi
    install_packages $missing
}

# has_library HEADER ARCHIVE: whether both are there.
has_library() {
    [ -f "/usr/include/$1" ] && find /usr/lib -name "$2" 2>/dev/null | grep -q .
}

install_packages() {
    local as_root=""
    if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
    $as_root apt-get update -q >&2
    $as_root apt-get install -y -q "$@" >&2
}

need_swift() {
    if ! command -v swift >/dev/null; then
        echo "qubs-mock: no Swift toolchain found; install Swift 6.2 or later from swift.org" >&2
        exit 1
    fi
}

# Installs what only the tests use: curl, which runs the documentation's lines, and python3, which
# runs the example clients.
need_test_tools() {
    local missing=""
    for tool in curl python3; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    if [ -z "$missing" ]; then return; fi
    echo "qubs-mock: the tests need$missing; installing" >&2
    install_packages $missing
}

# The folder of a Python environment with what judge-requirements.txt names, which scripts/judge and
# scripts/test-plugin use. Kept between runs: .build-judge/ is ignored by git and may be deleted at any
# time. Without Python or PyPI the script that asked ends well, and says that it was skipped.
need_python_environment() {
    local requirements=scripts/judge-requirements.txt said
    environment=$PWD/.build-judge/venv
    if cmp -s "$requirements" "$environment/complete"; then return; fi
    said=$(mktemp)
    (need_test_tools) || skip "there is no python3, and none can be installed"
    rm -rf "$environment"
    if ! python3 -m venv "$environment" >"$said" 2>&1; then
        local as_root=""
        if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
        { $as_root apt-get update -q && $as_root apt-get install -y -q python3-venv; } >&2 || true
        rm -rf "$environment"
        python3 -m venv "$environment" >"$said" 2>&1 || skip "python3 makes no environment"
    fi
    # Where PyPI is silent rather than absent, pip alone would wait for each package again.
    timeout 300 "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --only-binary :all: --timeout 20 --retries 2 --requirement "$requirements" \
        >"$said" 2>&1 || skip "PyPI does not give what is needed: $(tail -n 1 "$said")"
    cp "$requirements" "$environment/complete"
    rm -f "$said"
}

# Ends the script: a step that needs what this machine lacks is no failure.
skip() {
    echo "$(basename "$0"): skipped: $1" >&2
    exit 0
}
