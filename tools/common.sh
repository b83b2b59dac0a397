# shellcheck shell=bash disable=SC2034
# Shared by the scripts in tools/: source it, do not run it. Needs bash; sets -euo pipefail for its caller.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
run_state=/run/berth-setup      # gone after a reboot, as the processes that it names
kept_state=/var/lib/berth-setup # what setup and up made: packages, folders, images

# The environment may name a CA list of its own, which would replace the one that a call to a local page names.
unset CURL_CA_BUNDLE SSL_CERT_FILE

program=${0##*/}
say() { printf '%s: %s\n' "$program" "$*"; }
warn() { printf '%s: %s\n' "$program" "$*" >&2; }
die() {
  warn "$*"
  exit 1
}

need_root() {
  [ "$(id -u)" = 0 ] || die "$1 needs root: run it with sudo"
}

# Eight hex digits of a text, for names that two checkouts must not share.
short_hash() { printf '%s' "$1" | sha256sum | cut -c1-8; }

# alive PID NAME: does this very process run? Pids are used again, so the name must fit (unless it is empty).
alive() {
  [ -n "${1:-}" ] && [ -r "/proc/$1/comm" ] || return 1
  case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) in Z*) return 1 ;; esac
  [ -z "${2:-}" ] || [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ]
}

# stop_process PID NAME SECONDS: SIGTERM, then SIGKILL when it is still there after SECONDS.
stop_process() {
  local pid=$1 name=$2 end=$((SECONDS + $3))
  alive "$pid" "$name" || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while alive "$pid" "$name"; do
    if [ "$SECONDS" -ge "$end" ]; then
      warn "$name ($pid) did not end in $3 s; killing it"
      kill -KILL "$pid" 2>/dev/null || return 0
    fi
    sleep 0.1
  done
}

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when it never did.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# The engine that DOCKER_HOST names, else the usual socket.
engine_address() { printf '%s' "${DOCKER_HOST:-unix:///var/run/docker.sock}"; }

# engine_call PATH [CURL ARGUMENT...]: one call on that engine; curl's exit status.
engine_call() {
  local address path=$1
  address=$(engine_address)
  shift
  case $address in
    unix://*) curl -s --max-time 20 --unix-socket "${address#unix://}" "$@" "http://engine$path" ;;
    tcp://*)
      if [ -n "${DOCKER_TLS_VERIFY:-}" ]; then
        local keys=${DOCKER_CERT_PATH:-$HOME/.docker}
        curl -s --max-time 20 --cacert "$keys/ca.pem" --cert "$keys/cert.pem" --key "$keys/key.pem" "$@" \
          "https://${address#tcp://}$path"
      else
        curl -s --max-time 20 "$@" "http://${address#tcp://}$path"
      fi
      ;;
    *) die "DOCKER_HOST=$address: these scripts speak unix:// and tcp:// only" ;;
  esac
}

engine_answers() { [ "$(engine_call /_ping -f --max-time 3 2>/dev/null)" = OK ]; }
