#!/bin/bash
# Runs the composition from `build` to `down`, and checks every step. Needs bash, a Docker engine
# and its compose tool (`docker compose` or docker-compose 1.29); all else runs in containers. Where
# the two base images cannot be pulled, base-images.sh makes stand-ins for them, which requires
# root.
set -euo pipefail
cd "$(dirname "$0")"

# A name that does not collide with a composition in use.
export COMPOSE_PROJECT_NAME=flowtracker-story
project=label=com.docker.compose.project=$COMPOSE_PROJECT_NAME
work=$(mktemp -d)
files=(-f compose.yaml)
all=(generator sink dataplane control)

part() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }
say() { printf '    %s\n' "$*"; }
fail() { printf 'story.sh: %s\n' "$*" >&2; exit 1; }

if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "${files[@]}" "$@"; }
elif command -v docker-compose >/dev/null; then
    compose() { docker-compose "${files[@]}" "$@"; }
else
    fail 'neither `docker compose` nor docker-compose is there'
fi

# Prints the id of a service's container, running or not.
container() {
    docker ps --all --quiet --filter "$project" --filter "label=com.docker.compose.service=$1" \
        --filter label=com.docker.compose.oneoff=False
}

take_down() {
    docker rm --force flowtracker-story-ask flowtracker-story-watch >/dev/null 2>&1
    compose down --volumes --timeout 5 >/dev/null 2>&1
}

cleanup() {
    local status=$?
    trap - EXIT
    if (( status != 0 )); then
        echo "== what the containers said last" >&2
        compose ps >&2 || true
        compose logs --tail=15 >&2 || true
    fi
    take_down || true
    if [[ -n ${pages_before-} ]]; then echo "$pages_before" >/proc/sys/vm/nr_hugepages; fi
    rm -rf "$work"
    exit "$status"
}
trap cleanup EXIT
trap 'echo "story.sh: line $LINENO: failed: $BASH_COMMAND" >&2' ERR
trap 'exit 130' INT TERM

# wait_for SECONDS WHAT COMMAND…: repeats the command until it succeeds.
wait_for() {
    local limit=$(( SECONDS + $1 )) what=$2
    shift 2
    until "$@"; do
        (( SECONDS < limit )) || fail "in vain: $what"
        sleep 0.2
    done
}

# Runs a command in a container with ctl and jq; a user would type `compose run --rm ctl …`.
ask() { docker exec -i flowtracker-story-ask "$@"; }
ctl() { ask ctl "$@"; }
json() { ask jq --slurp --compact-output "$@"; }

start_watching() {
    docker rm --force flowtracker-story-watch >/dev/null 2>&1 || true
    compose run -d --no-deps --name flowtracker-story-watch watch >/dev/null 2>&1
}
# Prints the events of the watcher for which a jq condition holds, as one array.
events() { docker logs flowtracker-story-watch 2>/dev/null | json "[.[].events[]? | select($1)]"; }
count_events() { events "$1" | json '.[0] | length'; }
saw() { (( $(count_events "$2") >= $1 )); }

# Prints the entries of one data plane as a JSON array; `list` fails while that is not attached yet.
entries() { ctl list -o json ${dataplane:+--dataplane "$dataplane"} 2>/dev/null | json .; }
has_entries() { (( $(entries | json '.[0] | length') == $1 )); }
# Prints the number of entries, and the smallest packet and byte counts of any entry.
least() { entries | json -r '.[0] | [length, ([.[].packets | tonumber] | min), ([.[].bytes | tonumber] | min)] | @tsv'; }
# Checks that half of the flows are of IPv6, both directions of each.
has_both_families() {
    local of_ipv6
    of_ipv6=$(ctl -6 list -o json ${dataplane:+--dataplane "$dataplane"} | json 'length')
    (( of_ipv6 == 32 ))
}
# Checks that both directions of the 32 flows are present, and that each has grown since least().
has_grown() {
    local number packets bytes
    read -r number packets bytes < <(least)
    (( number == 64 && packets > $1 && bytes > $2 ))
}
picture() {
    local before
    wait_for 60 'both directions of 32 flows are entries' has_entries 64
    wait_for 60 'half of them are of IPv6' has_both_families
    before=$(least)
    # shellcheck disable=SC2086
    set -- $before
    wait_for 60 'packets and bytes of every entry grow' has_grown "$2" "$3"
}

# Prints values that change when a container is restarted or replaced.
identity() { docker inspect --format '{{.Id}} {{.State.StartedAt}} {{.State.Pid}}' "$(container "$1")"; }

# http PATH: prints status and body of the control service's answer, through the port on the host.
http() {
    local connection line
    exec {connection}<>/dev/tcp/127.0.0.1/${HTTP_PORT:-9464} || return
    printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&"$connection"
    read -r line <&"$connection"
    line=${line%$'\r'}
    printf '%s\n' "${line#* }"
    cat <&"$connection"
    exec {connection}>&-
}
http_is() { [[ $(http "$2" 2>/dev/null | head -n 1) == "$1 "* ]]; }

part 'images'
if [[ -z ${BASE_IMAGE-} ]]; then
    stand_ins=$(./base-images.sh --if-needed)
    eval "$stand_ins"
fi
say 'docker compose build (minutes, the first time)'
compose build >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log" >&2; fail 'the images do not build'; }
docker image ls --format '{{.Repository}} {{.Size}}' | sed -n 's/^flowtracker-[a-z]* .*/    &/p'

part 'a watcher, then everything else'
take_down
compose up -d --no-build control >/dev/null 2>"$work/up.log" || { cat "$work/up.log" >&2; fail 'it does not start'; }
compose run -d --no-deps --name flowtracker-story-ask --entrypoint sleep ctl infinity >/dev/null 2>&1
wait_for 60 'the control service answers' ctl dataplanes >/dev/null 2>&1
http_is 200 /healthz || fail '/healthz is not 200'
http_is 503 /readyz || fail '/readyz is not 503 without a data plane'
start_watching
compose up -d --no-build 2>/dev/null
wait_for 60 'WatchEvents prints 64 created events' saw 64 '.type == "EVENT_TYPE_CREATED"'
say 'docker compose run --rm watch'
events '.type == "EVENT_TYPE_CREATED"' | ask jq '.[0]'
http_is 200 /readyz || fail '/readyz is not 200 with a data plane'

part 'packets and bytes grow'
picture
say 'docker compose run --rm ctl list'
compose run --rm --no-deps -T ctl list 2>/dev/null | sort | sed -n 1,4p
sums=$(ctl stats -o json | json '[.[] | (.dataplanes // [.])[] | .lcores[]
    | (.rx | tonumber) - ([.outcomes[] | tonumber] | add)] | unique')
[[ $sums == '[0]' ]] || fail "outcomes do not add up to the frames received: $sums"
say 'every frame is in exactly one outcome'

part 'one entry is deleted by hand'
key=$(ctl list | awk '/^port0/ { key = $1 } END { print key }')
say "docker compose run --rm ctl DeleteEntry $key"
compose run --rm --no-deps -T ctl DeleteEntry "$key" >/dev/null 2>&1
by_hand='.type == "EVENT_TYPE_DELETED" and .reason == "DELETE_REASON_CONTROL"'
wait_for 30 'the event says that ctl deleted it' saw 1 \
    "$by_hand and .entry.deletedBy.entity == \"ENTITY_TC\" and .entry.deletedBy.process == \"ctl\""
events "$by_hand" | ask jq --compact-output '.[] | {type, reason, key: .entry.key, deletedBy: .entry.deletedBy}'
wait_for 30 'its next packet makes it anew' saw 65 '.type == "EVENT_TYPE_CREATED"'

part 'each container is killed and brought back'
for victim in "${all[@]}"; do
    others=()
    for service in "${all[@]}"; do [[ $service == "$victim" ]] || others+=("$service"); done
    before=$(for service in "${others[@]}"; do identity "$service"; done)
    # A new data plane starts with an empty table. When any other service dies, the entries stay the
    # same.
    born=$(entries | json '.[0] | [.[].createTime] | sort')
    docker kill "$(container "$victim")" >/dev/null
    if [[ $victim == dataplane ]]; then wait_for 30 '/readyz is 503' http_is 503 /readyz; fi
    compose up -d --no-build --no-deps "$victim" >/dev/null 2>&1
    wait_for 60 'the control service answers' ctl dataplanes >/dev/null 2>&1
    wait_for 60 '/readyz is 200' http_is 200 /readyz
    picture
    after=$(for service in "${others[@]}"; do identity "$service"; done)
    [[ $before == "$after" ]] || fail "the others did not survive $victim"
    if [[ $victim != dataplane ]]; then
        [[ $born == "$(entries | json '.[0] | [.[].createTime] | sort')" ]] || fail "entries went with $victim"
    fi
    say "$victim: the picture is back, ${others[*]} run on"
done
healthy_is() { [[ $(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")") == healthy ]]; }
for service in "${all[@]}"; do
    wait_for 60 "$service is healthy" healthy_is "$service"
done
say 'all are healthy'

# stop SERVICE: does the same as `compose stop`; the service must end by itself within 5 s.
stop() {
    local began=${EPOCHREALTIME/./} took status
    compose stop "$1" >/dev/null 2>&1
    took=$(( (${EPOCHREALTIME/./} - began) / 1000 ))
    status=$(docker inspect --format '{{.State.ExitCode}}' "$(container "$1")")
    [[ $status == 0 ]] || fail "$1 ended with status $status"
    say "$1 ended by itself, status 0, after $took ms"
}

part 'the generator stops, and the entries expire by the timer'
start_watching
wait_for 30 'the watcher has its snapshot' saw 1 '.type == "EVENT_TYPE_SYNCED"'
stop generator
idle='.type == "EVENT_TYPE_DELETED" and .reason == "DELETE_REASON_IDLE"'
wait_for 90 'all 64 entries expire' saw 64 "$idle and .entry.deletedBy.entity == \"ENTITY_TIMER\""
early=$(events "$idle and (.entry.idleMs | tonumber) < 30000" | json '.[0] | length')
(( early == 0 )) || fail "$early entries expired before their 30 s"
has_entries 0 || fail 'the table is not empty'
say "64 entries expired, idle for $(events "$idle" |
    json -r '.[0] | [.[].entry.idleMs | tonumber] | "\(min) to \(max)"') ms"

part 'two data planes, one control service (compose.two.yaml)'
files=(-f compose.yaml -f compose.two.yaml)
compose up -d --no-build >/dev/null 2>&1
for dataplane in dataplane dataplane2; do
    picture
    say "$dataplane: 64 entries, and they grow"
done
unset dataplane
compose run --rm --no-deps -T ctl dataplanes 2>/dev/null
# The generators stop first, so that frames on their way are counted.
for service in generator generator2 sink sink2 dataplane2 dataplane; do stop "$service"; done
docker rm --force flowtracker-story-ask flowtracker-story-watch >/dev/null
stop control
take_down

part 'mutual TLS (compose.tls.yaml)'
files=(-f compose.yaml -f compose.tls.yaml)
compose up -d --no-build >/dev/null 2>"$work/up.log" || { cat "$work/up.log" >&2; fail 'it does not start'; }
compose run -d --no-deps --name flowtracker-story-ask --entrypoint sleep ctl infinity >/dev/null 2>&1
wait_for 60 'the control service answers' ctl dataplanes >/dev/null 2>&1
start_watching
wait_for 60 'WatchEvents over TLS prints 64 created events' saw 64 '.type == "EVENT_TYPE_CREATED"'
picture
say 'docker compose run --rm watch: grpcurl -cacert -cert -key, 64 entries, and they grow'
ctl whoami
key=$(ctl list | awk '/^port0/ { key = $1 } END { print key }')
as() { ask env FLOWTRACKER_CERT="/run/certs/$1.pem" FLOWTRACKER_KEY="/run/certs/$1.key" ctl "${@:2}"; }
as viewer list >/dev/null || fail 'a viewer may not list'
if as viewer delete "$key" >"$work/refused" 2>&1; then fail 'a viewer may delete'; fi
say "a viewer: $(<"$work/refused")"
if ask env -u FLOWTRACKER_CERT -u FLOWTRACKER_KEY ctl list >"$work/refused" 2>&1; then fail 'nobody in particular may list'; fi
say "without a certificate: $(<"$work/refused")"
if ask env -u FLOWTRACKER_CACERT ctl --server http://control:50051 list >"$work/refused" 2>&1; then fail 'it answers without TLS'; fi
say "without TLS: $(<"$work/refused")"
ctl DeleteEntry "$key" >/dev/null || fail 'an operator may not delete'
wait_for 30 'the event says who deleted it' saw 1 "$by_hand"
events "$by_hand" | ask jq --compact-output '.[] | {type, reason, deletedBy: .entry.deletedBy}'
wait_for 60 'control is healthy' healthy_is control
docker rm --force flowtracker-story-ask flowtracker-story-watch >/dev/null
for service in generator sink dataplane control; do stop "$service"; done
take_down

part 'hugepages and cores of their own (compose.hugepages.yaml)'
files=(-f compose.yaml -f compose.hugepages.yaml)
pages=/proc/sys/vm/nr_hugepages
free() { awk '/^HugePages_Free/ { print $2 }' /proc/meminfo; }
if [[ -w $pages ]]; then
    pages_before=$(<$pages)
    echo $(( pages_before + 320 )) >$pages
    given=$(free)
    compose up -d --no-build >/dev/null 2>&1
    compose run -d --no-deps --name flowtracker-story-ask --entrypoint sleep ctl infinity >/dev/null 2>&1
    wait_for 60 'the control service answers' ctl dataplanes >/dev/null 2>&1
    picture
    taken=$(( given - $(free) ))
    (( taken > 0 )) || fail 'no hugepage is in use'
    say "64 entries, and they grow; $taken hugepages of 2 MiB in use"
    docker rm --force flowtracker-story-ask >/dev/null
    for service in generator sink dataplane control; do stop "$service"; done
    take_down
    (( $(free) == given )) || fail 'hugepages are not given back'
    echo "$pages_before" >$pages
    unset pages_before
else
    say 'not tried: this user cannot give hugepages'
fi

left=$(docker ps --all --quiet --filter "$project"
    docker volume ls --quiet --filter "$project"
    docker network ls --quiet --filter "$project")
[[ -z $left ]] || fail "left behind: $left"
part 'all is well; nothing is left but the images'
