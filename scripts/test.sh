#!/usr/bin/env bash
# Runs every test: Rust natively, the module in Chromium on the CPU and on WebGPU, the page by a person's
# actions. The page must be built.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

say "testing the crate and the program natively"
cargo test --locked --release --workspace

say "packing the goldens for the browser"
rm -rf dist-test
for folder in tests/goldens/*/; do
  name=$(basename "$folder")
  [ -f "$folder/golden.safetensors" ] || continue
  input=("$folder/model.safetensors")
  [ -f "${input[0]}" ] || input=(--encoder "$folder/encoder.pth" --decoder "$folder/decoder.pth")
  target/release/aedr pack "${input[@]}" --precision f32 --out "dist-test/packs/$name"
done

say "testing the module and the page in Chromium"
node --test --test-concurrency=1 tests/browser/*.test.mjs
