#!/bin/bash
# Stands in for systemd, which no test can run: starts units by their ExecStart, with their files of variables, and stops them.
# What it was told stands in /calls.
echo "systemctl $*" >> /calls
state=/run/stand-in
mkdir -p $state
value() { sed -n "s/^$1=//p" "/etc/systemd/system/$2"; }

start() {
  local folder file
  [ "$1" = labelqueue-logs.service ] && return
  folder="$(value StateDirectory "$1")"
  [ -n "$folder" ] && mkdir -p "/var/lib/$folder"
  file="$(value EnvironmentFile "$1")"
  (
    set -a
    # shellcheck disable=SC1090
    [ -n "$file" ] && source "$file"
    eval "$(value Environment "$1" | tr ' ' '\n')"
    eval "exec $(value ExecStart "$1")"
  ) > "/log-$1" 2>&1 < /dev/null &
  echo $! > "$state/$1"
}

case "$1" in
  enable) for unit in "${@:3}"; do start "$unit"; done ;;
  stop)
    # Stopped while it is being started: after that, as systemd orders it.
    until pid="$(cat "$state/$2" 2> /dev/null)"; do sleep 0.1; done
    kill -TERM "$pid"
    # Nothing reaps what has ended here.
    until grep -qs '^State:.*Z' "/proc/$pid/status" || [ ! -e "/proc/$pid" ]; do sleep 0.1; done
    ;;
esac
