#!/usr/bin/env bash
# Bring up a private Slurm on this machine: one node, no systemd, no cgroups, no accounting database.
# Run it again to bring back what has died. What it starts, down.sh stops by process id.
#   LAB=/dir    where configuration, sockets, logs and state live (default: ${TMPDIR:-/tmp}/tfake-slurm)
#   CPUS=n      CPUs that the node advertises; more than it has is fine (default: 16)
#   PORT=n      first of two ports of this machine's own (default: 16817)
# Then: export SLURM_CONF=$LAB/etc/slurm.conf PATH=$LAB/bin:$PATH
set -euo pipefail
LAB=${LAB:-${TMPDIR:-/tmp}/tfake-slurm}
CPUS=${CPUS:-16}
PORT=${PORT:-16817}
ETC=$LAB/etc RUN=$LAB/run LOG=$LAB/log VAR=$LAB/var BIN=$LAB/bin
HOST=$(hostname -s) ME=$(id -un)
MEMORY_MB=$(awk '/MemTotal/ {print int($2 / 1024 * 0.95)}' /proc/meminfo)
PATH=$PATH:/usr/sbin:/sbin

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }
await() { # seconds, command: until it succeeds
  local tries=$(($1 * 5))
  shift
  for ((i = 0; i < tries; i++)); do "$@" >/dev/null 2>&1 && return 0; sleep 0.2; done
  echo "up.sh: gave up on: $*; see $LOG" >&2
  return 1
}

for program in munged slurmctld slurmd; do
  command -v "$program" >/dev/null || { echo "up.sh: $program is not installed; tests/slurm/install.sh does it" >&2; exit 1; }
done

mkdir -p "$ETC" "$RUN" "$LOG" "$VAR/state" "$VAR/spool" "$BIN"
chmod 755 "$LAB" "$ETC" "$RUN" "$LOG"
getent hosts "$HOST" >/dev/null || echo "127.0.0.1 $HOST" >>/etc/hosts

if ! alive "$RUN/munged.pid"; then
  [ -s "$ETC/munge.key" ] || (umask 077; head -c 128 /dev/urandom >"$ETC/munge.key")
  rm -f "$RUN"/munge.socket*
  munged --key-file="$ETC/munge.key" --socket="$RUN/munge.socket" --pid-file="$RUN/munged.pid" \
    --log-file="$LOG/munged.log" --seed-file="$VAR/munged.seed"
fi
await 10 munge -S "$RUN/munge.socket" -n

# EnforcePartLimits: an impossible request is refused instead of waiting for ever.
# OverMemoryKill: the substitute for cgroups. MinJobAge: squeue must know a job's end for longer than between two polls.
cat >"$ETC/slurm.conf" <<CONF
ClusterName=lab
SlurmctldHost=$HOST(127.0.0.1)
SlurmctldPort=$PORT
SlurmdPort=$((PORT + 1))
SlurmUser=$ME
SlurmdUser=$ME
AuthType=auth/munge
AuthInfo=socket=$RUN/munge.socket
CredType=cred/munge
StateSaveLocation=$VAR/state
SlurmdSpoolDir=$VAR/spool
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd.pid
SlurmctldLogFile=$LOG/slurmctld.log
SlurmdLogFile=$LOG/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_min_interval=100000,batch_sched_delay=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
ReturnToService=2
EnforcePartLimits=ALL
SlurmctldTimeout=30
SlurmdTimeout=60
InactiveLimit=0
KillWait=5
MinJobAge=3600
Waittime=0
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=$HOST NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEMORY_MB Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=$HOST Default=YES DefMemPerCPU=500 MaxTime=2-00:00:00 State=UP
PartitionName=gpu Nodes=$HOST DefMemPerCPU=500 MaxTime=2-00:00:00 State=UP
CONF
# One pretended GPU: requests for it are scheduled, nothing is constrained.
echo "NodeName=$HOST Name=gpu File=/dev/null" >"$ETC/gres.conf"
# Inside a job the plugin drops SLURM_CONF, so its srun must be told again.
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$ETC/slurm.conf" "$(PATH=${PATH//$BIN:/} command -v srun)" >"$BIN/srun"
chmod +x "$BIN/srun"

export SLURM_CONF=$ETC/slurm.conf
alive "$RUN/slurmctld.pid" || { rm -f "$RUN/slurmctld.pid"; slurmctld; }
await 20 scontrol ping
alive "$RUN/slurmd.pid" || { rm -f "$RUN/slurmd.pid"; slurmd -N "$HOST"; }
usable() { sinfo -h -o %T | grep -Eq 'idle|mixed|allocated'; }
await 20 usable || { scontrol update "nodename=$HOST" state=resume; await 20 usable; }
await 20 timeout 10 "$BIN/srun" -n1 true
echo "Slurm is up in $LAB: $(sinfo -h -o '%P %T, %c CPUs, %m MB, %G' | tr '\n' ';')"
