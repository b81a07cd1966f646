#!/usr/bin/env bash
# Looks at what most changes break, in less than two minutes once everything was built: format, lints, types, the unit
# tests, the goldens of the small networks, two samples on the page. `make test` runs everything.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

# A comma in a locale's numbers would confuse awk.
export LC_ALL=C
module=target/web/package/aedr_bg.wasm
[ -e "$module" ] && [ -d node_modules ] || fail "nothing is built yet: run make test, or at least make page, once"

began=$EPOCHREALTIME
seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'; }

# Runs a command and says how long it took; shows what it said only if it failed.
step() {
  local what=$1 from=$EPOCHREALTIME said status=0
  shift
  said=$("$@" 2>&1) || status=$?
  say "$(printf '%5.1f s  %s' "$(seconds_since "$from")" "$what")"
  [ "$status" = 0 ] || { printf '%s\n' "$said"; fail "$what: failed"; }
}

# The front end's modules, by their comments; with a tsconfig.json by what it says. Without one not all of them are
# typed to the end, and only what cannot be right counts: syntax, names, imports, numbers of arguments.
types() {
  local tsc=node_modules/.bin/tsc files=() said
  if [ -e tsconfig.json ]; then "$tsc" --noEmit -p tsconfig.json; return; fi
  mapfile -t files < <(find www -name '*.js' -not -path 'www/pkg/*')
  said=$("$tsc" --noEmit --pretty false --allowJs --checkJs --strict false --skipLibCheck --target esnext --module nodenext \
    --lib esnext,dom,dom.iterable,webworker "${files[@]}") || true
  ! grep -E 'error TS(1[0-9]{3}|2304|2305|2306|2307|2551|2552|2554|2724):' <<<"$said" | grep -vE 'pkg/aedr\.js|TrustedScriptURL'
}

# By the tests' own compiler, clippy, which `make test` uses too: so each takes over what the other built.
with_lints

# With the module that is there, unless what it is made of has changed.
page() {
  if [ -n "$changed" ]; then scripts/build-page.sh linted; else node scripts/assemble.mjs --package target/web/package --out dist; fi
}
changed=$(find src .cargo Cargo.toml Cargo.lock -type f -newer "$module" -print -quit)

samples() {
  # Wherever the file is.
  node --test --test-name-pattern='is clicked|is picked' "$(find tests/browser -name page.test.mjs)"
}

step "the format" cargo fmt --all --check
step "the types of the front end" types
step "compiling the tests, under the lints" cargo test --locked --release --workspace --lib --test native --no-run
step "the unit tests" cargo test --locked --release --workspace --lib
step "the goldens of the small networks" cargo test --locked --release --test native goldens::autoencoders
if [ -n "$changed" ]; then
  step "the page, with a new module: $changed has changed" page
else
  step "the page, with the module that is there: src/ has not changed" page
fi
step "samples in Chromium" samples
say "$(printf '%5.1f s  in all' "$(seconds_since "$began")")"
