# shellcheck shell=bash disable=SC2154  # $dir, the cluster's folder, is set by whoever sources this
# Shared by cluster-up and cluster-down: which processes are a cluster's own.
#
# dir/pids/NAME holds "PID STARTTIME". A process id is only trusted while its start time (in clock ticks since
# boot) is the recorded one, so a recycled id is never taken for ours.

start_time() { # pid
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  # shellcheck disable=SC2086  # the fields after the parenthesised name, which may hold blanks
  set -- ${stat##*) }
  [ "$1" != Z ] && echo "${20}"
}

is_running() { # name
  local pid started
  { read -r pid started <"$dir/pids/$1"; } 2>/dev/null || return 1
  [ "$(start_time "$pid")" = "$started" ]
}

pid_of() { # name
  local pid _
  read -r pid _ <"$dir/pids/$1" && echo "$pid"
}

# Names of everything recorded, running or not.
recorded() { ls "$dir/pids" 2>/dev/null || true; }

# The bridge of the cluster's pods. A device's name may have 15 characters, so it is made from the folder's name.
bridge() { echo "tl-$(printf %s "$dir" | sha256sum | cut -c1-10)"; }
