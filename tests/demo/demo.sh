#!/bin/bash
# Runs the whole demonstration unattended:
#
#   demo.sh            two hosts with the appliance between them, netcat from
#                      one to the other, over IPv4 and over IPv6; both flows of
#                      each appear, one is deleted by hand, the others expire
#   demo.sh FILE       replays a capture into port0 and shows what was learned
#
# The exit status is 0 only if everything expected was seen. The script leaves nothing behind, even
# when interrupted: processes, network namespaces and files are its own.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=${FLOWTRACKER_BIN_DIR:-$here/../../target/release}
export PATH=$here/../../target/tools/bin:$PATH
# shellcheck source=tests/demo/stage.sh
source "$here/stage.sh"

table=flowtracker/table/Main/ct_flow_table table6=flowtracker_ipv6/table/Main/ct_flow_table
left_addr=10.0.0.1 right_addr=10.0.0.2 server_port=1234
left_addr6=2001:db8::1 right_addr6=2001:db8::2
server=127.0.0.1:50051 # in the box's own namespace, so always free
export FLOWTRACKER_SERVER=http://$server

ctl() { in_box "$bin/ctl" "$@"; }

# Reads the counters by grpcurl, which needs no .proto file.
stats() { in_box grpcurl -plaintext "$server" flowtracker.v1.FlowTrackerService/GetStats; }

# attached: succeeds when the data plane is attached to the control service.
attached() {
    ctl dataplanes -o json 2>/dev/null |
        jq -es 'any(.. | objects; .name == "demo" and .attached == true)' >/dev/null
}

# start_appliance VDEV VDEV: starts the control service, then the data plane.
start_appliance() {
    step 'start the control service'
    start control in_box "$bin/flowtracker-control" --listen "$server"

    step "start the data plane: $*"
    local eal=(-l 0 --no-huge --no-shconf --no-pci -m 256 "--file-prefix=ftdemo$$")
    # DPDK's run-time files go to the script's folder and are removed with it.
    RUNTIME_DIRECTORY=$folder start dataplane \
        in_box "$bin/flowtracker-dataplane" "${eal[@]}" "${@/#/--vdev=}" -- --control "http://$server" --id demo
    wait_for 30 'the data plane is attached' attached
    ctl dataplanes
}

# Stops both programs with SIGTERM. The demo fails when one does not exit with status 0.
stop_appliance() {
    step 'stop both with SIGTERM'
    stop_expecting_0 dataplane
    stop_expecting_0 control
}

# --- events, as `ctl watch -o json` prints them, each after its time of arrival ---

# event FILTER: prints the first event that the jq expression selects, as JSON with .arrival (s).
event() {
    [[ -s $folder/watch ]] || return 1
    sed -E 's/^([0-9.]+) \{/{"arrival":\1,/' "$folder/watch" | jq -ecn "first(inputs | select($1))"
}

watching() { [[ $(stats 2>/dev/null | jq -r '.log.watchers // 0') == 2 ]]; }

seen() { event "$1" >/dev/null 2>&1; }

# both_in_text PIPELINE: succeeds when P4TC's text shows two new entries of the pipeline.
both_in_text() { [[ $(grep -cxF "created pipeline:  $1" "$folder/monitor") == 2 ]]; }

# listening ADDR: succeeds when a server listens there.
listening() { in_right ss -Hltn | grep -qF "$1:$server_port"; }

story() {
    step "join two hosts through a box: $left_addr - port0 [appliance] port1 - $right_addr"
    make_hosts "$left_addr" "$right_addr"
    add_ipv6 "$left_addr6" "$right_addr6"
    start_appliance net_af_packet0,iface=port0 net_af_packet1,iface=port1

    step 'watch: ctl mon p4 events (shown below behind a bar)'
    start monitor in_box "$bin/ctl" mon p4 events
    follow monitor
    start_stamped watch in_box "$bin/ctl" watch -o json
    wait_for 30 'both watchers are served' watching

    step "connect: nc -l -p $server_port -s $right_addr on the right, nc $right_addr $server_port on the left"
    start tcpdump in_left tcpdump -tt -n -l --immediate-mode -i eth0 'tcp[tcpflags] & tcp-syn != 0'
    wait_for 10 'tcpdump listens' grep -qs 'listening on' "$folder/tcpdump.err"
    # With -d neither end sends anything, so that both flows become idle.
    start server in_right nc -d -n -l -p "$server_port" -s "$right_addr"
    wait_for 10 'nc listens' listening "$right_addr"
    start client in_left nc -d -n "$right_addr" "$server_port"

    local there=".entry.key.inputPort == \"port0\" and .entry.key.srcAddr == \"$left_addr\"
        and .entry.key.dstAddr == \"$right_addr\" and .entry.key.dstPort == $server_port"
    local back=".entry.key.inputPort == \"port1\" and .entry.key.srcAddr == \"$right_addr\"
        and .entry.key.dstAddr == \"$left_addr\" and .entry.key.srcPort == $server_port"
    local created='.type == "EVENT_TYPE_CREATED"' deleted='.type == "EVENT_TYPE_DELETED"'
    wait_for 10 "the flow $left_addr -> $right_addr is reported as created" seen "$created and ($there)"
    wait_for 10 "the flow $right_addr -> $left_addr is reported as created" seen "$created and ($back)"
    wait_for 10 'P4TC text of both' both_in_text 'flowtracker(id 1)'

    step "over IPv6 too: nc -6 -l -p $server_port -s $right_addr6 on the right, nc -6 $right_addr6 $server_port on the left"
    start server6 in_right nc -6 -d -n -l -p "$server_port" -s "$right_addr6"
    wait_for 10 'nc listens' listening "[$right_addr6]"
    start client6 in_left nc -6 -d -n "$right_addr6" "$server_port"
    local there6=".entry.pipeline == \"flowtracker_ipv6\" and .entry.key.inputPort == \"port0\"
        and .entry.key.srcAddr == \"$left_addr6\" and .entry.key.dstAddr == \"$right_addr6\"
        and .entry.key.dstPort == $server_port"
    local back6=".entry.pipeline == \"flowtracker_ipv6\" and .entry.key.inputPort == \"port1\"
        and .entry.key.srcAddr == \"$right_addr6\" and .entry.key.dstAddr == \"$left_addr6\"
        and .entry.key.srcPort == $server_port"
    wait_for 10 "the flow $left_addr6 -> $right_addr6 is reported as created" seen "$created and ($there6)"
    wait_for 10 "the flow $right_addr6 -> $left_addr6 is reported as created" seen "$created and ($back6)"
    wait_for 10 'P4TC text of both' both_in_text 'flowtracker_ipv6(id 2)'

    step 'ctl list'
    ctl list | tee "$folder/list"
    local key
    key=$(grep -oE "port0/tcp/$left_addr:[0-9]+-$right_addr:$server_port" "$folder/list") ||
        fail 'ctl list does not show the flow from the left'
    grep -qE "port1/tcp/$right_addr:$server_port-$left_addr:[0-9]+" "$folder/list" ||
        fail 'ctl list does not show the flow from the right'
    grep -qE "port0/tcp/\[$left_addr6\]:[0-9]+-\[$right_addr6\]:$server_port" "$folder/list" ||
        fail 'ctl list does not show the IPv6 flow from the left'
    grep -qE "port1/tcp/\[$right_addr6\]:$server_port-\[$left_addr6\]:[0-9]+" "$folder/list" ||
        fail 'ctl list does not show the IPv6 flow from the right'

    step "ctl p4ctrl get $table"
    ctl p4ctrl get "$table" | tee "$folder/dump"
    [[ $(grep -c '^    entry key$' "$folder/dump") == 2 ]] || fail 'not two entries'

    step "ctl -j p4ctrl get $table"
    ctl -j p4ctrl get "$table" | tee "$folder/dump.json"
    jq -e '.[1].entries | length == 2' "$folder/dump.json" >/dev/null || fail 'not two entries'

    step "ctl p4ctrl get $table6"
    ctl p4ctrl get "$table6" | tee "$folder/dump6"
    [[ $(grep -c '^    entry key$' "$folder/dump6") == 2 ]] || fail 'not two entries'
    grep -qxF "     srcAddr id:2 size:128b type:ipv6 exact fieldval  $left_addr6/128" "$folder/dump6" ||
        fail 'no entry of the IPv6 flow from the left'

    step "delete one by hand: ctl DeleteEntry $key"
    ctl DeleteEntry "$key"
    wait_for 10 'it is reported as deleted by tc' \
        seen "$deleted and .reason == \"DELETE_REASON_CONTROL\" and ($there)"
    wait_for 10 'P4TC text of it' grep -q '^    deleted by: tc (id 2)$' "$folder/monitor"

    step 'say nothing for 30 seconds: the others expire'
    local idle=".reason == \"DELETE_REASON_IDLE\""
    wait_for 60 "the flow $right_addr -> $left_addr is reported as deleted by the timer" \
        seen "$deleted and $idle and ($back)"
    wait_for 10 "the flow $left_addr6 -> $right_addr6 too" seen "$deleted and $idle and ($there6)"
    wait_for 10 "the flow $right_addr6 -> $left_addr6 too" seen "$deleted and $idle and ($back6)"
    wait_for 10 'P4TC text of it' grep -q '^    deleted by: timer (id 3)$' "$folder/monitor"
    grep -qE '^    created [0-9]+ sec    used [0-9]+ sec$' "$folder/monitor" || fail 'its ages are not shown'
    [[ -z $(ctl list | grep -o 'port[01]/tcp/' || true) ]] || fail 'the table is not empty'

    step 'ctl stats'
    ctl stats

    step 'two figures'
    local syn
    syn=$(awk '/Flags \[S\]/ { print $1; exit }' "$folder/tcpdump")
    [[ -n $syn ]] || fail 'tcpdump did not see the first packet'
    # The time has up to nine decimals, which jq's own date functions do not accept.
    event "$created and ($there)" | jq -er --argjson syn "$syn" '
        def seconds: capture("^(?<whole>[^.Z]+)(?<part>\\.[0-9]+)?Z$")
            | (.whole + "Z" | fromdate) + ("0" + (.part // "") | tonumber);
        def ms: . * 1000000 | round / 1000;
        "first packet to created entry: \((.time | seconds) - $syn | ms) ms, to the event in a watcher: \(.arrival - $syn | ms) ms"'
    event "$deleted and ($back)" | jq -er '
        (.entry.idleMs | tonumber) as $idle
        | "idle at deletion: \($idle) ms, \($idle - 30000) ms after its 30 s",
          (if $idle < 30000 then error("early") else empty end)' || fail 'deleted before its 30 s were over'

    stop_appliance
}

received() { (( $(stats 2>/dev/null | jq '[.dataplanes[].lcores[] | .rx // "0" | tonumber] | add // 0') == $1 )); }

replay() {
    local frames
    [[ -r $1 ]] || fail "cannot read $1"
    # tcpdump prints the count as `82 packets`.
    frames=$(tcpdump -r "$1" --count 2>/dev/null) || fail "$1 is not a capture"
    frames=${frames%% *}
    # DPDK splits device arguments at commas, and the name of this link has none.
    ln -s "$(realpath "$1")" "$folder/capture"
    start_appliance "net_pcap0,rx_pcap=$folder/capture" net_null0,no-rx=1
    step "replay $1: $frames frames into port0"
    wait_for 120 'every frame is counted' received "$frames"

    step 'ctl list'
    ctl list
    step 'ctl stats'
    ctl stats
    stop_appliance
}

make_box
case $# in
    0) story ;;
    1) replay "$1" ;;
    *) fail 'usage: demo.sh [FILE.pcap]' ;;
esac
step 'done: everything expected was seen'
