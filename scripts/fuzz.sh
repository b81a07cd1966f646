#!/usr/bin/env bash
# Fuzzes what reads strangers' files, with libFuzzer: scripts/fuzz.sh [TARGET|all] [SECONDS], by default all, a minute each.
# A nightly compiler is used if there is one. What fails is kept in tests/fuzz/found/TARGET: mend it, and move the file to
# tests/corpus, where it stays a test. SANITIZER=address also finds what unsafe code does to memory (the JPEG decoder has
# some); it builds for long and runs several times slower.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

targets=(image claims document shard import pytorch report drawing)
if [ "${1:-all}" != all ]; then targets=("$1"); fi
seconds=${2:-60}

cargo_fuzz=(cargo)
if [[ $(rustup toolchain list 2>/dev/null) == *nightly* ]]; then
  cargo_fuzz=(cargo +nightly)
else
  export RUSTC_BOOTSTRAP=1
fi
tools=$PWD/target/tools
if [ ! -x "$tools/bin/cargo-fuzz" ]; then
  say "installing cargo-fuzz into target/tools"
  cargo install cargo-fuzz --locked --quiet --root "$tools" --target-dir target/tools-build
fi
export PATH="$tools/bin:$PATH" CARGO_TARGET_DIR="$PWD/target/fuzz"

# Copies each target's initial corpus, named by content hash; what libFuzzer adds stays in target/.
seed() {
  local target=$1 into=target/fuzz/corpus/$1 folder
  mkdir -p "$into"
  for folder in $(folders "$target"); do
    find "$folder" -type f -size -512k ! -name '*.py' -print0 |
      while IFS= read -r -d '' file; do cp "$file" "$into/$(sha256sum "$file" | cut -c1-16)"; done
  done
}

folders() {
  case $1 in
    image | claims) echo tests/corpus/image www/samples ;;
    document) echo tests/corpus/manifest tests/corpus/calibration tests/corpus/configuration weights/catalog.json ;;
    shard) echo tests/corpus/shard tests/corpus/import/good ;;
    pytorch) echo tests/corpus/pytorch tests/goldens/tiny_taef2 ;;
    *) echo "tests/corpus/$1" ;;
  esac
}

for target in "${targets[@]}"; do
  say "fuzzing $target for $seconds seconds"
  seed "$target"
  mkdir -p "tests/fuzz/found/$target"
  "${cargo_fuzz[@]}" fuzz run --sanitizer "${SANITIZER:-none}" --fuzz-dir tests/fuzz "$target" "target/fuzz/corpus/$target" -- \
    -max_total_time="$seconds" -max_len=131072 -timeout=20 -rss_limit_mb=2048 \
    -artifact_prefix="tests/fuzz/found/$target/"
done
