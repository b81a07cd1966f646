#!/usr/bin/env bash
# Builds everything and runs every test: Rust natively, the module in Chromium on the CPU and on WebGPU, the page by
# a person's actions, the npm package from a project of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

say "checking licences and known vulnerabilities of what this is made of"
node scripts/licences.mjs
node scripts/audit.mjs

# Both builds at once: each leaves processors idle that the other can use.
native_log=$(mktemp)
native=
trap 'rm -f "$native_log"; [ -z "$native" ] || kill "$native" 2>/dev/null || true' EXIT
say "building and testing the crate and the program natively, beside the build of the page"
scripts/test-native.sh >"$native_log" 2>&1 &
native=$!
scripts/build-page.sh linted
wait "$native" && passed=true || passed=false
native=
cat "$native_log"
$passed || fail "the native tests failed"

say "packing the goldens for the browser"
rm -rf dist-test
for folder in tests/goldens/*/; do
  name=$(basename "$folder")
  [ -f "$folder/golden.safetensors" ] || continue
  input=("$folder/model.safetensors")
  [ -f "${input[0]}" ] || input=(--encoder "$folder/encoder.pth" --decoder "$folder/decoder.pth")
  target/release/aedr pack "${input[@]}" --precision f32 --out "dist-test/packs/$name"
done

say "packing the npm package"
node scripts/package.mjs

say "testing the module, the page and the package in Chromium"
node --test --test-concurrency=1 tests/browser/*.test.mjs tests/scripts/*.test.mjs
