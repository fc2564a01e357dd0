# shellcheck shell=bash
# The demo that KEEP=1 left running, as `run` and `stop` know it: a directory of this user's with
#   process    its process id and start time (ids are used again; the pair is not)
#   connect    how to connect to it, once it is ready
#   log        everything it has printed

kept_directory() {
    echo "${TMPDIR:-/tmp}/socketio_emitter-demo-$(id -u)"
}

# The name is easy to guess and /tmp is everybody's: what somebody else put there does not count.
kept_directory_is_ours() {
    [ -d "$(kept_directory)" ] && [ ! -L "$(kept_directory)" ] && [ -O "$(kept_directory)" ]
}

# When a process started, in the kernel's ticks; nothing if it is gone or only waits to be reaped.
start_time() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -ra fields <<<"${stat##*) }" # the command's name, in parentheses, may contain anything
    [ "${fields[0]}" = Z ] || echo "${fields[19]}"
}

remember_kept() {
    echo "$1 $(start_time "$1")" >"$(kept_directory)/process"
}

kept_pid() {
    cut -d ' ' -f 1 "$(kept_directory)/process"
}

kept_is_running() {
    local pid started
    kept_directory_is_ours && [ -f "$(kept_directory)/process" ] &&
        read -r pid started <"$(kept_directory)/process" &&
        [ -n "$started" ] && [ "$started" = "$(start_time "$pid")" ]
}
