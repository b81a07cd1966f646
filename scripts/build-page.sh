#!/usr/bin/env bash
# Builds the page into dist/: the WebAssembly module, the front end, the models that the project ships. With the word
# "linted", under the lints. With "quick", under the lints into dist-quick/, with a module that is neither small nor fast.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

# Its own folder: the module's compiler is not the native one, and neither build must undo the other's work.
export CARGO_TARGET_DIR=target/web
# Paths of this machine mean nothing to others, and would make each machine's module differ.
remapped="\"--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo\", \"--remap-path-prefix=$PWD=/aedr\""
build=(build --locked --lib --profile wasm --target $WASM_TARGET -p aedr -p aedr-renderer
  --config "target.$WASM_TARGET.rustflags = [$remapped]")
package=$CARGO_TARGET_DIR/package
out=dist
if [ "${1:-}" = quick ]; then
  build+=("${QUICK_BUILD[@]/release/wasm}")
  package=$CARGO_TARGET_DIR/quick-package
  out=dist-quick
fi
say "compiling the modules (ten minutes or more the first time)"
if has_wasm_target; then
  [ -z "${1:-}" ] || with_lints
  cargo "${build[@]}"
else
  linker=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
  [ -x "$linker" ] || linker=$(command -v wasm-ld || command -v rust-lld) || fail "no linker for WebAssembly; please install lld"
  PATH=/usr/bin:$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker \
    /usr/bin/cargo "${build[@]}" -Zbuild-std=std,panic_abort
fi

built=$CARGO_TARGET_DIR/$WASM_TARGET/wasm
mkdir -p "$package"
# `aedr` checks images, `renderer` makes the report's picture.
for module in aedr renderer; do
  [ "$built/$module.wasm" -nt "$package/${module}_bg.wasm" ] || continue
  say "binding and optimising $module"
  rm -rf "$package.partial"
  $WASM_BINDGEN --target web --no-typescript --remove-name-section --remove-producers-section \
    --out-dir "$package.partial" "$built/$module.wasm"
  if [ "${1:-}" = quick ]; then
    mv "$package.partial/$module.js" "$package.partial/${module}_bg.wasm" "$package/"
    continue
  fi
  node_modules/.bin/wasm-opt -O1 --enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int \
    --enable-sign-ext --enable-mutable-globals --enable-reference-types --enable-multivalue \
    "$package.partial/${module}_bg.wasm" -o "$package.partial/optimised.wasm"
  mv "$package.partial/$module.js" "$package/$module.js"
  # Last, because this file marks the build as complete.
  mv "$package.partial/optimised.wasm" "$package/${module}_bg.wasm"
done

# Takes seconds, and is repeated only if what was built or the scripts that gather the notices have changed.
for origin in "$package"/*.wasm package-lock.json scripts/{dependencies,licences,notices}.mjs; do
  if [ ! "$package/licences.txt" -nt "$origin" ]; then
    node scripts/licences.mjs --notices "$package/licences.txt"
    break
  fi
done
node scripts/assemble.mjs --package "$package" --out $out
say "the page is in $out/ ($(du -sh $out | cut -f1), module $(gzip -c $out/www/pkg/aedr_bg.wasm | wc -c) bytes gzipped)"
