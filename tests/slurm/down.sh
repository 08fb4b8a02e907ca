#!/usr/bin/env bash
# Stop what up.sh started in LAB, by process id, and only if the process is still what it was.
set -uo pipefail
LAB=${LAB:-${TMPDIR:-/tmp}/tfake-slurm}
export SLURM_CONF=$LAB/etc/slurm.conf
[ -s "$LAB/run/slurmctld.pid" ] && timeout 10 scancel --state=PENDING,RUNNING --user="$(id -un)" 2>/dev/null && sleep 1
for daemon in slurmd slurmctld munged; do
  file=$LAB/run/$daemon.pid
  [ -s "$file" ] || continue
  pid=$(cat "$file")
  if grep -qs "$daemon" "/proc/$pid/comm"; then
    kill "$pid"
    for ((i = 0; i < 75; i++)); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -0 "$pid" 2>/dev/null && kill -9 "$pid"
    echo "$daemon ($pid) stopped"
  fi
  rm -f "$file"
done
exit 0
