#!/usr/bin/env bash
# Runs the Rust tests, under the lints; with --no-run only builds them, and the program.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

with_lints
cargo test --locked --release --workspace "$@"
