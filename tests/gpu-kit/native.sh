#!/bin/sh
# The native program: its errors against the references, or its speed, with maps in f32 and, if the adapter can, in f16.
set -e
if [ "$1" = goldens ]; then
  # shellcheck disable=SC2046 # Names without spaces.
  ./aedr measure $(./node sizes.mjs goldens) --weights packs --goldens goldens --device gpu >"$RESULTS/native-goldens.jsonl"
else
  ./node sizes.mjs write whole
  side=$(./node sizes.mjs side)
  ./aedr measure whole --weights . --side "$side" --device gpu >"$RESULTS/native-check.jsonl"
  if grep -q '"has_f16":true' "$RESULTS/native-check.jsonl"; then
    ./aedr measure whole --weights . --side "$side" --device gpu --maps f16 >>"$RESULTS/native-check.jsonl"
  fi
fi
