# What tools/up, tools/down and tools/uninstall share: where berth runs and what `make up` remembers of it.
# shellcheck shell=bash disable=SC2034

data=${DATA:-/var/lib/berth}
berth=$root/build/release/berth
demo=$root/examples/hello
demo_host=hello.localhost
record=$kept_state/up-$(short_hash "$data") # a folder; each file in it is one thing that `make up` made

remember() {
  mkdir -p "$record"
  printf '%s\n' "$2" >"$record/$1"
}
recall() { cat "$record/$1" 2>/dev/null; }
forget() {
  rm -f "$record/$1"
  rmdir --ignore-fail-on-non-empty "$record" 2>/dev/null || true
}

# The running `berth serve` of this data folder: its pid, by the file that it writes and the command line it has.
serve_pid() {
  local pid
  pid=$(cat "$data/serve.pid" 2>/dev/null) || return 1
  alive "$pid" berth && serve_arguments "$pid" | grep -qx serve && echo "$pid"
}

serve_arguments() { tr '\0' '\n' <"/proc/$1/cmdline" 2>/dev/null; }

# serve_flag PID FLAG: the value that follows the flag on its command line.
serve_flag() { serve_arguments "$1" | sed -n "/^$2\$/{n;p;q}"; }
