#!/usr/bin/env bash
# Looks at what most changes break, in less than two minutes once everything was built: format, lints, types, the unit
# tests, the goldens of the small networks, the rooms, two samples on the page. `make test` runs everything.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

# A comma in a locale's numbers would confuse awk.
export LC_ALL=C
[ -e target/web/package/aedr_bg.wasm ] && [ -d node_modules ] || fail "nothing is built yet: run make test, or at least make page, once"

began=$EPOCHREALTIME
seconds_since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { print to - from }'; }

# Runs a command and prints how long it took; prints its output only if it failed.
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

with_lints
cargo_test() { cargo test "${QUICK_BUILD[@]}" --locked --release "$@"; }

# Prints a source of the module that is newer than the given file, or that file's name if it is missing.
changed_since() { [ -e "$1" ] && find src .cargo Cargo.toml Cargo.lock -type f -newer "$1" -print -quit || echo "$1"; }

# Uses the module that is there, or builds a new one if a source is newer.
page() {
  local package
  for package in target/web/package target/web/quick-package; do
    if [ -z "$(changed_since "$package/aedr_bg.wasm")" ]; then
      node scripts/assemble.mjs --package "$package" --out dist-quick
      return
    fi
  done
  scripts/build-page.sh quick
}

samples() {
  # Finds the test file wherever it is.
  AEDR_DIST=dist-quick node --test --test-name-pattern='is clicked|is picked' "$(find tests/browser -name page.test.mjs)"
}

step "the format" cargo fmt --all --check
step "the types of the front end" types
# Runs beside the tests' build: each leaves processors idle that the other can use.
page_log=$(mktemp)
page >"$page_log" 2>&1 &
page=$!
trap 'rm -f "$page_log"; [ -z "$page" ] || kill "$page" 2>/dev/null || true' EXIT
step "compiling the tests, under the lints" cargo_test --workspace --lib --test native --no-run
step "the unit tests" cargo_test --workspace --lib
step "the goldens of the small networks" cargo_test --test native goldens::autoencoders
step "the rooms" cargo_test --test native rooms::
step "the rooms of the front end" node --test tests/scripts/rooms.test.mjs
from=$EPOCHREALTIME
wait "$page" && built=true || built=false
# Its number may be another process's from now on.
page=
$built || { cat "$page_log"; fail "the page's build: failed"; }
say "$(printf '%5.1f s  %s' "$(seconds_since "$from")" "the rest of the page's build")"
step "samples in Chromium" samples
say "$(printf '%5.1f s  in all' "$(seconds_since "$began")")"
