#!/usr/bin/env bash
# From a fresh Debian 12 to a running gateway in front of the demo API, on the embedded stores: installs what is
# missing, builds, starts both, issues a demo key and prints how to use it. A second run installs, downloads and
# rebuilds nothing. Ctrl-C or SIGTERM stops everything that this script started.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: ./run.sh [--config FILE]

  --config FILE   the configuration to start with (default: config/gateway.dev.yaml)
  --help          this text

Installs missing Debian packages (as root or with sudo), builds build/release/portcullis, starts the demo API and
the gateway, and keeps running until Ctrl-C. State is kept under data/, logs in data/*.log.
TEXT
}

say() { printf '%s\n' "run.sh: $*"; }
die() { printf '%s\n' "run.sh: $*" >&2; exit 1; }

config=""
while [ $# -gt 0 ]; do
    case "$1" in
        --config) [ $# -ge 2 ] || { usage >&2; exit 2; }; config=$2; shift 2 ;;
        --config=*) config=${1#--config=}; shift ;;
        --help|-h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done
[ -z "$config" ] || config=$(realpath -e -- "$config" 2>/dev/null) || die "there is no such configuration file"
cd "$(dirname "$(realpath "$0")")"
config=${config:-config/gateway.dev.yaml}

# shellcheck source=tests/packages.sh
. tests/packages.sh

build() {
    # A folder that test.sh made (with the tests) is used as it is.
    [ -f build/release/build.ninja ] || cmake --preset release -DGW_TESTS=OFF -DGW_BENCH=OFF >/dev/null
    say "building build/release/portcullis (the first time takes some minutes)"
    cmake --build --preset release --target portcullis -j "$(build_jobs)"
}

# What `portcullis check` says under this name: "gateway", "admin", "upstream", "data".
from_check() { sed -n "s/^$1: //p" <<<"$check"; }

is_taken() { (exec 3<>"/dev/tcp/${1%:*}/${1##*:}") 2>/dev/null; }

demo="" gateway=""
stop_all() {
    trap - INT TERM EXIT
    for pid in $gateway $demo; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in $gateway $demo; do
        wait "$pid" 2>/dev/null || true
    done
}

wait_until_ready() {
    for _ in $(seq 1 300); do
        curl -fsS -o /dev/null "$admin_url/readyz" 2>/dev/null && return
        kill -0 "$gateway" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$data/gateway.log" >&2
    die "the gateway did not become ready; the end of $data/gateway.log is above"
}

# A new key for 24 hours; the one of the last run is revoked.
issue_demo_key() {
    "$binary" tenants list --json --config "$config" | grep -q '"id":"demo"' ||
        "$binary" tenants add demo --name Demo --config "$config" >/dev/null
    if [ -s "$data/demo_key_id" ]; then
        "$binary" keys revoke "$(cat "$data/demo_key_id")" --reason "replaced by run.sh" --config "$config" >/dev/null ||
            say "the demo key of the last run could not be revoked; see above"
        rm -f "$data/demo_key_id"
    fi
    local issued
    issued=$("$binary" keys create --tenant demo --name "run.sh demo" --scopes orders:read,orders:write \
        --expires 24h --json --config "$config") || return 1
    sed -n 's/.*"key_id":"\([^"]*\)".*/\1/p' <<<"$issued" >"$data/demo_key_id"
    demo_key=$(sed -n 's/.*"key":"\([^"]*\)".*/\1/p' <<<"$issued")
}

install_packages "${build_packages[@]}"
build
binary=$PWD/build/release/portcullis
check=$("$binary" check --config "$config") || { printf '%s\n' "$check" >&2; die "the configuration has errors"; }
gateway_url=$(from_check gateway | head -n 1)
admin_url=$(from_check admin | head -n 1)
data=$(from_check data | head -n 1)
demo_address=127.0.0.1:9001
mkdir -p "$data"

trap 'stop_all; say stopped; exit 0' INT TERM
trap stop_all EXIT
for url in "$gateway_url" "$admin_url"; do
    ! is_taken "${url#http://}" || die "port ${url##*:} is taken: stop what listens on ${url#http://}, or change the configuration"
done
if from_check upstream | grep -q "$demo_address\$"; then
    ! is_taken "$demo_address" || die "port 9001 is taken: the demo API cannot listen on $demo_address"
    # In sessions of their own: Ctrl-C reaches this script alone, which stops them in order.
    setsid "$binary" demo-api --listen "$demo_address" >"$data/demo-api.log" 2>&1 &
    demo=$!
fi
setsid "$binary" serve --config "$config" >>"$data/gateway.log" 2>&1 &
gateway=$!
wait_until_ready

demo_key=""
issue_demo_key || say "no demo key: the configuration does not declare orders:read and orders:write"
cat <<TEXT

  gateway      $gateway_url
  admin API    $admin_url/api/v1/platform  (the dashboard is not built yet)
  metrics      $admin_url/metrics
  management   the bootstrap key is in $data/management.key, unless the configuration names another
  logs         $data/gateway.log

TEXT
[ -z "$demo_key" ] || cat <<TEXT
  A live key, good for 24 hours:

  curl -i -H 'Authorization: Bearer $demo_key' $gateway_url/v1/orders

TEXT
say "running; Ctrl-C stops"
wait -n $gateway $demo && ended=0 || ended=$?
stop_all
say "stopped"
exit "$ended"
