#!/usr/bin/env bash
# Runs the Rust tests, under the lints.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

with_lints
cargo test --locked --release --workspace
