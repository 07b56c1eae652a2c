#!/bin/bash
# make check: every test, then one line that counts them all: "N passed, N failed, N skipped". Each part's own output is shown.
set -u
make=${1:-make}
cd "$(dirname "$0")/.." || exit 2
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0

# count NAME COMMAND…: runs a part, shows it, and takes the counts of cmocka or pytest out of what it printed. A part that ends with
# a fault and names no failed test counts as one failed.
count() {
    local name=$1 status p f s
    shift
    echo "=== $name"
    "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    p=$(( $(grep -c '^\[       OK \]' "$log") + $(sed -n 's/.*[^0-9]\{0,1\}\b\([0-9]\+\) passed.*/\1/p' "$log" | paste -sd+ | grep . || echo 0) ))
    f=$(( $(grep '^\[  FAILED  \]' "$log" | grep -vc 'test(s)') / 2 + $(sed -n 's/.*\b\([0-9]\+\) failed.*/\1/p' "$log" | paste -sd+ | grep . || echo 0) ))
    s=$(( $(grep '^\[  SKIPPED \]' "$log" | grep -vc 'test(s)') / 2 + $(sed -n 's/.*\b\([0-9]\+\) skipped.*/\1/p' "$log" | paste -sd+ | grep . || echo 0) ))
    [ "$status" -ne 0 ] && [ "$f" -eq 0 ] && f=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# the same cases each time, so that what is red is what was changed; `make model` and `make property` draw new ones
export NURTURE_MODEL_SEED=${NURTURE_MODEL_SEED:-20261124} PROPERTY_SEED=${PROPERTY_SEED:-20261124}

check_layers() { python3 tests/layers.py && echo "1 passed"; }

count "calls run one way only" check_layers
count "build, warnings as errors" bash -c "$make -s -j2 FLAVOUR=asan all && $make -s -j2 all && echo '1 passed'"
count "unit tests, under ASan and UBSan" $make -s -k -j2 -Otarget unit
count "what the fuzzers have kept" $make -s replay
count "properties against an independent oracle" $make -s property
count "random histories against a reference scheduler" $make -s model
count "end to end, with Dovecot and Postfix" $make -s e2e
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
