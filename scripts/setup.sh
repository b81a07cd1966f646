#!/usr/bin/env bash
# Installs what building (and, with the word "test", testing) needs, and says what it does. Quick when
# everything is there.
#
#   scripts/setup.sh [test]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

# Installs Debian packages if this is a Debian and we have permission; else says what is missing.
install_packages() {
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    say "installing $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  else
    fail "please install $* (Debian: apt-get install $*) and run this again"
  fi
}

command -v cargo >/dev/null || fail "Rust is missing: install it from https://rustup.rs and run this again"
command -v node >/dev/null && command -v npm >/dev/null || install_packages nodejs npm

# The standard library for WebAssembly: rustup's, else Debian's compiler that can build it.
if ! has_wasm_target && ! has_debian_wasm; then
  say "adding the target wasm32-unknown-unknown"
  if ! { command -v rustup >/dev/null && rustup target add wasm32-unknown-unknown; }; then
    say "rustup could not add it; falling back to Debian's compiler for the web"
    install_packages rustc-web cargo-web rust-web-src
    has_debian_wasm || fail "no way to build for wasm32-unknown-unknown was found"
  fi
fi

# wasm-bindgen's program must be of exactly the library's version. It is built beside what follows, and only what is used
# of it.
tools=
if ! [ "$("$WASM_BINDGEN" --version 2>/dev/null)" = "wasm-bindgen $WASM_BINDGEN_VERSION" ]; then
  say "building wasm-bindgen $WASM_BINDGEN_VERSION"
  install=(cargo install --quiet --root target/tools --version "$WASM_BINDGEN_VERSION" --bin wasm-bindgen wasm-bindgen-cli)
  # First with its lock file; without it if a version in that file was yanked.
  { "${install[@]}" --locked 2>/dev/null || "${install[@]}"; } &
  tools=$!
  trap '[ -z "$tools" ] || kill "$tools" 2>/dev/null || true' EXIT
fi
finish() {
  [ -z "$tools" ] || wait "$tools" || fail "wasm-bindgen $WASM_BINDGEN_VERSION could not be built"
  tools=
}

# Installs the npm packages of a folder's package-lock.json.
install_modules() {
  if [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    say "installing the npm packages of $1/package-lock.json"
    npm ci --silent --no-audit --no-fund --prefix "$1"
    touch "$1/node_modules/.package-lock.json"
  fi
}
install_modules .

if [ "${1:-}" != test ]; then
  finish
  exit 0
fi
[ -x "${CHROMIUM:-/usr/bin/chromium}" ] || install_packages chromium
install_modules tests/bench
# The parts of the kit that measures a GPU.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
  missing=()
  command -v xz >/dev/null || missing+=(xz-utils)
  libraries=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p)
  while read -r library package; do
    [[ $libraries == *"$library "* ]] || missing+=("$package")
  done <<'END'
libvulkan.so.1 libvulkan1
libEGL.so.1 libegl1
libGL.so.1 libgl1
libOpenGL.so.0 libopengl0
libGLESv2.so.2 libgles2
END
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
fi

# Not every machine has these: without one some tests are skipped, or fail where AEDR_REQUIRE names it.
read -ra packages < <(node scripts/requirements.mjs packages)
if [ ${#packages[@]} -gt 0 ]; then
  (install_packages "${packages[@]}") || say "without ${packages[*]} some tests cannot run:"
fi
node scripts/requirements.mjs missing
finish
