# shellcheck shell=bash
# The quickstart's own folder and the processes that run from it. Sourced by scripts/quickstart; works in $home.

config=$home/geogridd.yaml
originals=$home/originals
archive=$home/archive
nodes=(n1 n2 n3)
mark=$home/.geogrid-quickstart

node_folder() { printf '%s' "$home/nodes/$1"; }

# The folder must be new, empty or ours: nothing else is ever written to, and nothing in it removed.
claim_home() {
  if [[ -e $home && ! -f $mark ]]; then
    [[ -d $home && -z $(ls -A "$home") ]] ||
      die -3 "$home exists and was not made by this script; name another folder with GEOGRID_QUICKSTART=…"
  fi
  mkdir -p "$home"
  printf 'Made by scripts/quickstart, which may remove everything in this folder.\n' >"$mark"
}

require_home() { [[ -f $mark ]] || die "nothing is here: $home is no folder of scripts/quickstart"; }

# Keeps only the photographs (and what was built) of an earlier run.
clear_home() {
  stop_all
  local name
  for name in nodes log run geogridd.yaml metadata.db metadata.db-wal metadata.db-shm; do rm -rf "${home:?}/$name"; done
  mkdir -p "$home/nodes" "$home/log" "$home/run" "$archive"
}

remove_home() {
  require_home
  stop_all
  mounted && die "$archive is still mounted: nothing removed"
  rm -rf "${home:?}"
}

write_config() {
  local name others=false
  ((EUID == 0)) && others=true
  {
    printf 'cluster: quickstart\nmetadata: { url: "sqlite:%s/metadata.db" }\n' "$home"
    printf 'nodes:\n'
    for name in "${nodes[@]}"; do printf '  %s: { path: "%s" }\n' "$name" "$(node_folder "$name")"; done
    cat <<YAML
classes:                        # every file is owed two copies; thumbnails could be made again, so they want no backups
  - { name: thumb.jpg, match: '_\d+x\d+\.jpg\$', replicas: 2, backups: 0 }
  - { name: photo.jpg, match: '\.jpg\$', replicas: 2, backups: 0 }
  - { name: others, replicas: 2, backups: 0 }
client:
  mounts: [ { mountpoint: "$archive", allow_other: $others } ]
  deadline: 2s
storage:
  min_free: 100MiB
  walk: { cycle: 3s }           # look for new files every 3 seconds; the default is once a day
  replicate: { parallel: 4 }
YAML
  } >"$config"
}

# --- processes --------------------------------------------------------------------------------------------------

geogridd() { "$program" --config="$config" "$@"; }

# pid_of NAME: the process that start_process NAME started, if it still runs (and is no other that got its number since).
pid_of() {
  local pid
  pid=$(cat "$home/run/$1.pid" 2>/dev/null) || return 1
  grep -qzxF -- "--config=$config" "/proc/$pid/cmdline" 2>/dev/null || return 1
  printf '%s' "$pid"
}

# start_process NAME ARGUMENT...: in a session of its own, its log in log/NAME.log.
start_process() {
  local name=$1
  shift
  setsid "$program" --config="$config" "$@" </dev/null >>"$home/log/$name.log" 2>&1 &
  printf '%s\n' "$!" >"$home/run/$name.pid"
  disown # no word from the shell when one is killed
}

start_node() { start_process "$1" --role=storage "--replica=$1"; }
start_client() { start_process client --role=client; }

mounted() { grep -qF " $archive fuse" /proc/self/mounts; }

gone() { ! pid_of "$1" >/dev/null; }

# Asks every process of ours to end, the client first, and waits; what does not end in time is killed and named.
stop_all() {
  local name pid
  for name in client "${nodes[@]}"; do
    pid=$(pid_of "$name") || continue
    kill "$pid" 2>/dev/null || true
    if ! poll 15 gone "$name"; then
      complain "$name (process $pid) did not end within 15 s of SIGTERM; killed"
      kill -9 "$pid" 2>/dev/null || true
      poll 5 gone "$name" || true
      unclean=yes
    fi
  done
  if mounted; then
    fusermount3 -uz "$archive" || umount -l "$archive"
    unclean=yes
  fi
}

# --- waiting ----------------------------------------------------------------------------------------------------

# poll SECONDS COMMAND...: until it succeeds.
poll() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS <= until)) || return 1
    sleep 0.1
  done
}

# wait_for SECONDS WHAT COMMAND...: as poll, but ends the script with the logs' last words when it does not come.
wait_for() {
  local seconds=$1 what=$2
  shift 2
  poll "$seconds" "$@" || fail_with_logs "not within $seconds s: $what"
}

fail_with_logs() {
  complain "$*"
  local file
  for file in "$home"/log/*.log; do
    printf -- '--- the end of %s\n' "$file" >&2
    tail -n 15 "$file" >&2
  done
  exit 1
}
