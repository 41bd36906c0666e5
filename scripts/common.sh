# Sourced by the other scripts: the root of the checkout, and what a new machine lacks.
set -eu
cd "$(dirname "$0")/.."

# Installs libsqlite3-dev where it is missing (Debian and its relatives).
need_sqlite() {
    if [ -f /usr/include/sqlite3.h ] && find /usr/lib -name libsqlite3.a 2>/dev/null | grep -q .; then
        return
    fi
    echo "qubs-mock: libsqlite3-dev is missing; installing it" >&2
    local as_root=""
    if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
    if ! command -v apt-get >/dev/null; then
        echo "qubs-mock: no apt-get here; install the SQLite 3 headers and static library yourself" >&2
        exit 1
    fi
    $as_root apt-get update -q >&2
    $as_root apt-get install -y -q libsqlite3-dev >&2
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
    local as_root=""
    if [ "$(id -u)" != 0 ]; then as_root=sudo; fi
    $as_root apt-get update -q >&2
    $as_root apt-get install -y -q $missing >&2
}
