#!/usr/bin/env bash
# Runs the Rust tests. Where clippy is installed it compiles them, so that its lints (Cargo.toml) hold without a
# second compilation of everything.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

if clippy=$(command -v clippy-driver) && "$clippy" --version >/dev/null 2>&1; then
  export RUSTC_WORKSPACE_WRAPPER=$clippy
else
  say "clippy is not installed, so its lints are not checked: rustup component add clippy"
fi
cargo test --locked --release --workspace
