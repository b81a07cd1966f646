#!/bin/sh
# What the system says about the machine.
{
  grep -m 1 'model name' /proc/cpuinfo
  echo "cores: $(nproc)"
  uname -sr
  nvidia-smi --query-gpu=name,driver_version,memory.total,power.limit,clocks.max.sm --format=csv,noheader || true
} >"$RESULTS/machine.txt" 2>/dev/null
