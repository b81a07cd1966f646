#!/usr/bin/env bash
# Builds everything and runs every test: Rust natively, the module in Chromium on the CPU and on WebGPU, the page by
# a person's actions, there and in Firefox and WebKit, the npm package from a project of its own.
#
# AEDR_REQUIRE names what tests must have (scripts/requirements.mjs), separated by commas; where they lack it, they fail.
# By default that is all that this machine has. Tests that lack what it does not name are skipped, and listed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

: "${AEDR_REQUIRE=$(node scripts/requirements.mjs found)}"
export AEDR_REQUIRE
node scripts/requirements.mjs check || fail "set AEDR_REQUIRE otherwise, or install what is missing: scripts/setup.sh test"
say "tests must have: ${AEDR_REQUIRE:-nothing but what every test needs}"
while IFS= read -r missing; do say "will be SKIPPED: tests that need $missing"; done < <(node scripts/requirements.mjs missing)

say "checking licences and known vulnerabilities of what this is made of"
node scripts/licences.mjs
node scripts/audit.mjs

# Both builds run at once: each leaves processors idle that the other can use.
native_log=$(mktemp)
browser_log=$(mktemp)
native=
trap 'rm -f "$native_log" "$browser_log"; [ -z "$native" ] || kill "$native" 2>/dev/null || true' EXIT
say "building the crate and the program natively, beside the build of the page"
scripts/test-native.sh --no-run >"$native_log" 2>&1 &
native=$!
scripts/build-page.sh linted
wait "$native" && passed=true || passed=false
native=
$passed || { cat "$native_log"; fail "the native build failed"; }

# The native tests run beside those in browsers, at a lower priority.
say "testing the crate and the program natively, beside the tests in browsers"
nice -n 10 scripts/test-native.sh >"$native_log" 2>&1 &
native=$!

say "packing the goldens for the browser"
rm -rf dist-test
node scripts/pack-goldens.mjs dist-test/packs

say "packing the npm package"
node scripts/package.mjs

say "testing the module, the page and the package in browsers"
mapfile -t files < <(find tests/browser tests/scripts -name '*.test.mjs' | LC_ALL=C sort)
node scripts/run-tests.mjs --skipped "$browser_log" "${files[@]}" && passed=true || passed=false

wait "$native" && native_passed=true || native_passed=false
native=
cat "$native_log"

# Tests that a person has to ask for are skipped everywhere.
skipped=$(
  sed -nE 's/.*(SKIPPED without .*)/\1/p; s/^test (.*) \.\.\. ignored(.*)/asked for by name alone: \1\2/p' "$native_log"
  cat "$browser_log"
)
say "tests that were skipped: $(grep -c . <<<"$skipped" || true)"
[ -z "$skipped" ] || sed 's/^/  /' <<<"$skipped"
$passed || fail "the tests in browsers failed"
$native_passed || fail "the native tests failed"
