#!/usr/bin/env bash
# Runs the tests: installs what they need, builds, and ends with the line `N passed, N failed`.
set -uo pipefail

usage() {
    cat <<'TEXT'
usage: ./test.sh [--sanitizers] [--fuzz SECONDS] [--soak] [--all] [-jN]

  (nothing)       house rules, every unit and contract test, every end-to-end test, on the release build
  --sanitizers    the same under address+undefined and under thread sanitizers, without the measured tests
  --fuzz SECONDS  not built yet
  --soak          not built yet
  --all           everything that is built
  -jN             compilers at once (default: one per core, as memory allows)
  --help          this text

Exit code 0 only if something ran and nothing failed.
TEXT
}

cd "$(dirname "$(realpath "$0")")" || exit 1
# shellcheck source=tests/packages.sh
. tests/packages.sh

plain=true sanitizers=false jobs="" not_built=()
while [ $# -gt 0 ]; do
    case "$1" in
        --sanitizers) sanitizers=true plain=false ;;
        --all) sanitizers=true; not_built+=("fuzzing" "the soak test") ;;
        --fuzz) [ $# -ge 2 ] || { usage >&2; exit 2; }; echo "test.sh: fuzzing is not built yet" >&2; exit 1 ;;
        --soak) echo "test.sh: the soak test is not built yet" >&2; exit 1 ;;
        -j*) jobs=${1#-j} ;;
        --help|-h) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

passed=0 failed=0 skipped=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# title command...: one test by its exit code.
run_one() {
    local title=$1
    shift
    echo "== $title"
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $title"; fi
}

# preset: configures (once) and builds everything.
build() {
    local folder=build/$1
    echo "== build $1"
    if [ ! -f "$folder/build.ninja" ] || grep -q '^GW_TESTS:BOOL=OFF' "$folder/CMakeCache.txt"; then
        cmake --preset "$1" -DGW_TESTS=ON >/dev/null || return 1
    fi
    cmake --build --preset "$1" -j "${jobs:-$(build_jobs)}"
}

# folder filter: every Catch2 program; a program without a summary has crashed.
run_unit_tests() {
    local program log=$scratch/unit.log code cases bad
    for program in "$1"/tests/*_tests; do
        [ -x "$program" ] || continue
        echo "== $program"
        "${wrapper[@]}" "$program" "$2" >"$log" 2>&1
        code=$?
        cases=$(sed -n 's/^All tests passed (.* in \([0-9]*\) test cases\{0,1\}).*/\1/p' "$log")
        if [ -n "$cases" ] && [ $code -eq 0 ]; then
            passed=$((passed + cases))
            continue
        fi
        grep -q '^No tests ran' "$log" && [ $code -eq 0 ] && continue
        cat "$log"
        cases=$(sed -n 's/^test cases: .*| *\([0-9]*\) passed.*/\1/p' "$log")
        bad=$(sed -n 's/^test cases: .*| *\([0-9]*\) failed.*/\1/p' "$log")
        passed=$((passed + ${cases:-0}))
        failed=$((failed + ${bad:-1}))
        echo "FAILED: $program"
    done
}

# folder marks workers: pytest against that build's binary, counted from its JUnit report. The tests mostly wait, so
# several run at once; those that measure have the machine to themselves.
run_end_to_end_tests() {
    local report=$scratch/e2e.xml counts
    echo "== tests/e2e with $1/portcullis: $2"
    PORTCULLIS_BINARY=$PWD/$1/portcullis PYTHONDONTWRITEBYTECODE=1 \
        "${wrapper[@]}" /usr/bin/python3 -m pytest tests/e2e -q -p no:cacheprovider -n "$3" -m "$2" --junitxml="$report"
    counts=$(/usr/bin/python3 - "$report" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
try:
    suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
    total, bad, skipped = (sum(int(s.get(k, 0)) for s in suites for k in keys)
                           for keys in (["tests"], ["failures", "errors"], ["skipped"]))
    print(max(total - bad - skipped, 0), bad, skipped)
except (OSError, tree.ParseError):
    print(0, 1, 0)
PYTHON
    )
    read -r good bad left <<<"$counts"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
}

wrapper=()
install_packages "${build_packages[@]}" "${test_packages[@]}" || { echo "test.sh: packages could not be installed" >&2; exit 1; }

if $plain; then
    run_one "house rules find their bad samples" /usr/bin/python3 tests/check_rules.py --self-test
    run_one "house rules" /usr/bin/python3 tests/check_rules.py
    if build release; then
        run_unit_tests build/release "~[.]"
        run_end_to_end_tests build/release "not measured" 6
        run_end_to_end_tests build/release "measured" 0
    else
        failed=$((failed + 1))
    fi
fi

if $sanitizers; then
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1
    for preset in asan tsan; do
        build $preset || { failed=$((failed + 1)); continue; }
        # The thread sanitizer of g++ 12 does not know memory layouts with many random bits.
        wrapper=()
        [ $preset = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null && wrapper=(setarch "$(uname -m)" -R)
        run_unit_tests build/$preset "~[measured]~[.]"
        run_end_to_end_tests build/$preset "not measured" 4
    done
fi

[ ${#not_built[@]} -eq 0 ] || printf 'not built yet: %s\n' "${not_built[@]}"
[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
