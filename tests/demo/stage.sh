# shellcheck shell=bash
# The stage of a demo: network namespaces, processes that end with the script, and waits with a
# limit. A script sources this file. It cleans up when the script exits, for whatever reason.

(( EUID == 0 )) || { echo 'demo: needs root, for network namespaces' >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/ftdemo.XXXXXX")
declare -A pid_of=()
started=()
namespaces=()
steps=0

step() { steps=$((steps + 1)); printf '\n== %d. %s\n' "$steps" "$*"; }

fail() {
    printf 'demo: %s\n' "$*" >&2
    local name
    for name in control dataplane; do
        [[ ! -s $folder/$name.err ]] || sed "s/^/    $name: /" "$folder/$name.err" >&2
    done
    exit 1
}

# alive PID: succeeds when the process runs. A zombie does not run.
alive() { [[ -r /proc/$1/stat && $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) != Z* ]]; }

gone() { ! alive "$1"; }

cleanup() {
    local status=$? name
    trap - EXIT INT TERM HUP
    set +e
    # Processes end in reverse order of their start. One that ignores SIGTERM for five seconds is
    # killed.
    for (( i = ${#started[@]} - 1; i >= 0; i-- )); do
        name=${started[i]}
        [[ -n ${pid_of[$name]:-} ]] || continue
        kill -TERM "${pid_of[$name]}" 2>/dev/null
        for _ in {1..50}; do
            alive "${pid_of[$name]}" || break
            sleep 0.1
        done
        kill -KILL "${pid_of[$name]}" 2>/dev/null
        wait "${pid_of[$name]}" 2>/dev/null
    done
    for name in "${namespaces[@]}"; do
        ip netns del "$name"
    done
    rm -rf "$folder"
    exit "$status"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND…: runs the command in the background. Its output goes to the files NAME and
# NAME.err of the folder.
start() { launch "$1" "$folder/$1" "${@:2}"; }

# start_stamped NAME COMMAND…: does the same, and puts the time of arrival, in seconds, before each
# line.
start_stamped() {
    mkfifo "$folder/$1.pipe"
    # This loop ends by itself at the end of the stream.
    while IFS= read -r line; do printf '%s %s\n' "$EPOCHREALTIME" "$line"; done \
        <"$folder/$1.pipe" >"$folder/$1" &
    launch "$1" "$folder/$1.pipe" "${@:2}"
}

launch() {
    local name=$1 output=$2
    shift 2
    # An `in_…` function runs in a subshell, which the command replaces, so `$!` is the process id
    # of the command.
    "$@" >"$output" 2>"$folder/$name.err" </dev/null &
    pid_of[$name]=$!
    started+=("$name")
}

# follow NAME: shows the output of NAME as it arrives, after a bar.
follow() {
    (exec tail -n +1 -s 0.1 -F "$folder/$1" > >(exec sed -u 's/^/    | /') 2>/dev/null) &
    pid_of[follow-$1]=$!
    started+=("follow-$1")
}

# stop_expecting_0 NAME: stops NAME with SIGTERM, and fails when its exit status is not 0.
stop_expecting_0() {
    local pid=${pid_of[$1]} status=0
    alive "$pid" || fail "$1 has ended already"
    kill -TERM "$pid"
    wait_for 10 "$1 ends" gone "$pid"
    wait "$pid" || status=$?
    unset "pid_of[$1]"
    (( status == 0 )) || fail "$1 ended with status $status"
}

# wait_for SECONDS WHAT COMMAND…: waits until the command succeeds. Ends the script when it does not
# in time, or when one of the programs has ended.
wait_for() {
    local limit=$((SECONDS + $1)) what=$2 name
    shift 2
    until "$@"; do
        (( SECONDS < limit )) || fail "waited in vain: $what"
        for name in control dataplane; do
            [[ $what == "$name ends" || -z ${pid_of[$name]:-} ]] || alive "${pid_of[$name]}" ||
                fail "$name has ended"
        done
        sleep 0.1
    done
    printf '   ok: %s\n' "$what"
}

make_namespace() {
    ip netns add "$1"
    namespaces+=("$1")
    # IPv6 is off until add_ipv6, so that every frame is caused by the demo.
    ip netns exec "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip -n "$1" link set lo up
}

make_box() { make_namespace "ft-box-$$"; }

# add_ipv6 LEFT RIGHT: gives the two hosts these addresses (/64) as well. They find each other by
# neighbour discovery, which passes the box like ARP.
add_ipv6() {
    local host=left addr
    for addr in "$1" "$2"; do
        ip -n "ft-$host-$$" link set eth0 addrgenmode none
        ip netns exec "ft-$host-$$" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0
        ip -n "ft-$host-$$" address add "$addr/64" dev eth0 nodad
        host=right
    done
}

# make_hosts LEFT RIGHT: makes two hosts with these addresses (/24), connected to port0 and port1 of
# the box.
make_hosts() {
    make_namespace "ft-left-$$"
    make_namespace "ft-right-$$"
    add_host "ft-left-$$" "$1" port0
    add_host "ft-right-$$" "$2" port1
    wait_for 10 'both links are up' links_up
}

links_up() { [[ $(ip -n "ft-box-$$" -brief link | grep -c '^port[01]@.* UP ') == 2 ]]; }

add_host() {
    ip -n "ft-box-$$" link add "$3" type veth peer name eth0 netns "$1"
    ip -n "$1" address add "$2/24" dev eth0
    # A checksum that is left to the hardware would reach the other host unfilled.
    ip netns exec "$1" ethtool -K eth0 tx off rx off >/dev/null
    ip -n "$1" link set eth0 up
    ip -n "ft-box-$$" link set "$3" up
}

# Runs a command in a namespace. `ip` replaces itself by the command. In the background, `exec` also
# replaces the subshell that bash makes for the function.
in_namespace() {
    if (( BASHPID == $$ )); then ip netns exec "$@"; else exec ip netns exec "$@"; fi
}
in_box() { in_namespace "ft-box-$$" "$@"; }
in_left() { in_namespace "ft-left-$$" "$@"; }
in_right() { in_namespace "ft-right-$$" "$@"; }
