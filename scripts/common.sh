# Sourced by the other scripts: messages, and which tools are used.

say() { printf '\033[1maedr\033[0m %s\n' "$*"; }
fail() { printf 'aedr: %s\n' "$*" >&2; exit 1; }

WASM_TARGET=wasm32-unknown-unknown
WASM_BINDGEN_VERSION=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
WASM_BINDGEN=target/tools/bin/wasm-bindgen

# How the quick loop compiles: this crate hardly optimised and incrementally. Dependencies stay as they are.
QUICK_BUILD=(--config 'profile.release.package.aedr.opt-level=1' --config 'profile.release.incremental=true')

# The ordinary toolchain has WebAssembly's standard library.
has_wasm_target() {
  [ -d "$(rustc --print target-libdir --target $WASM_TARGET 2>/dev/null)" ]
}

# Debian's rustc, with the standard library's source to build it from.
has_debian_wasm() {
  [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] &&
    [ -f "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.toml" ]
}

# From here on clippy, where it is installed, compiles our own crates: so its lints (Cargo.toml) apply without a second
# compilation of everything.
with_lints() {
  if clippy-driver --version >/dev/null 2>&1; then
    RUSTC_WORKSPACE_WRAPPER=$(command -v clippy-driver)
    export RUSTC_WORKSPACE_WRAPPER
  else
    say "clippy is not installed, so its lints are not checked: rustup component add clippy"
  fi
}
