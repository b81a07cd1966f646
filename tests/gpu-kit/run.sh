#!/bin/sh
# Measures this machine's GPU and what aedr makes of it, the most important first:
#
#   ./run.sh [RESULTS]        eight minutes at most; results come as they are measured, into ./results by default:
#                             results.json has all, table.md what matters
#   SIZES=small ./run.sh      only shows that the kit works, on any Vulkan adapter; SIZES=least, that it starts
#   LIMIT=300 ./run.sh        seconds, in place of 480
#
# Needs x86-64 Linux with glibc 2.35 or later and a Vulkan driver. Installs nothing and changes no setting: everything is
# unpacked into a temporary folder, which is removed again. Exits with 1 if a step failed.
set -u
kit=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-results}" && RESULTS=$(cd "${1:-results}" && pwd) || exit 1
if [ -n "$(ls "$RESULTS")" ]; then
  echo "$RESULTS is not empty; name another folder" >&2
  exit 1
fi
SIZES=${SIZES:-full}
began=$(date +%s)
export RESULTS SIZES

work=$(mktemp -d)
running= holding= outcome=0
trap 'kill $running $holding 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
# If the machine has no xz, takes the kit's own.
if command -v xz >/dev/null 2>&1; then
  xz -dc "$kit/kit.tar.xz" | tar -x -C "$work"
else
  LD_LIBRARY_PATH="$kit/xz" "$kit/xz/xz" -dc "$kit/kit.tar.xz" | tar -x -C "$work"
fi || exit 1
cd "$work" || exit 1

# Libraries that the machine lacks: Vulkan's loader, and what drivers load.
mkdir missing
for library in libraries/*; do
  ldconfig -p 2>/dev/null | grep -q "^[[:space:]]*$(basename "$library") " || ln -s "../$library" missing/
done
export LD_LIBRARY_PATH="$work/missing${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# Runs one step, limited to its own seconds and to the time that is left for all; reports the result, and gathers all
# results so far. Keeps the text of its errors.
step() {
  name=$1 limit=$2
  shift 2
  left=$((${LIMIT:-480} - $(date +%s) + began))
  if [ "$left" -le 0 ]; then
    echo "$name: left out, the time is over"
    return
  fi
  start=$(date +%s)
  timeout -k 5 $((left < limit ? left : limit)) "$@" >"$RESULTS/$name.log" 2>&1 &
  running=$!
  # A signal interrupts `wait`, but would not interrupt a command in the foreground.
  wait $running
  code=$?
  running=
  seconds=$(($(date +%s) - start))
  [ $code = 0 ] || outcome=1
  case $code in
    0) echo "$name: $seconds s" && rm -f "$RESULTS/$name.log" ;;
    124 | 137) echo "$name: stopped after $seconds s" ;;
    *) echo "$name: failed ($code): $(grep -v '^ *at \|^$' "$RESULTS/$name.log" | tail -n 3 | tr '\n' ' ' | cut -c 1-200)" ;;
  esac
  ./node table.mjs >/dev/null
}

step machine 20 ./machine.sh
# Some machines have the driver's file at an unusual place.
for drivers in "${VK_DRIVER_FILES:-}" /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json; do
  unset VK_DRIVER_FILES
  [ -z "$drivers" ] || export VK_DRIVER_FILES="$drivers"
  step adapter 30 ./node step.mjs adapter
  [ ! -f "$RESULTS/adapter.json" ] || break
  VK_LOADER_DEBUG=all timeout 30 ./node step.mjs adapter >>"$RESULTS/loader.log" 2>&1
done
if ! [ -f "$RESULTS/adapter.json" ]; then
  echo "no Vulkan adapter was found; what the loader says is in $RESULTS/loader.log"
  exit 1
fi
outcome=0
# Some systems shut a GPU down between two processes, and need seconds to start it again.
./node hold.mjs >/dev/null 2>&1 &
holding=$!

# One line for each step: its limit in seconds, its name, its command.
./node steps.mjs >steps || exit 1
while read -r limit name command; do
  # shellcheck disable=SC2086 # Words of our own.
  step "$name" "$limit" $command </dev/null
done <steps
./node table.mjs
exit $outcome
