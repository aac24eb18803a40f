# shellcheck shell=bash disable=SC2034
# What run.sh and test.sh share: which Debian packages are needed, and installing those that are missing.

# CMakeLists.txt asks for each of these; curl and its certificates are for run.sh itself.
build_packages=(cmake ninja-build g++ libboost1.81-dev libboost-json1.81-dev libssl-dev libyaml-cpp-dev
    libsqlite3-dev libpqxx-dev pkg-config libcli11-dev libcrypt-dev zlib1g-dev ca-certificates curl)
# The unit tests (Catch2 version 2), and the end-to-end tests; openssl makes their certificates.
test_packages=(catch2 postgresql python3 python3-pytest python3-pytest-xdist openssl)

# Runs apt only if something is missing.
install_packages() {
    local missing=() name
    for name in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}; run this as root, or install sudo" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "installing: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# One compiler per core, and 1.5 GiB for each.
build_jobs() {
    local cores memory_kib
    cores=$(nproc)
    memory_kib=$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)
    local by_memory=$((memory_kib / 1572864))
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((cores < by_memory ? cores : by_memory))
}
