#!/bin/bash
# Installs the package that docker/packaging/build.sh has made into a fresh Debian that runs
# systemd, in a container, and tests it there: installation, both services, a real connection,
# restarts, an upgrade, removal, purge. The first failure ends it with status 1.
#
#     docker/packaging/test.sh [FILE.deb]
#
# Without FILE it takes the package in target/debian, and then checks that a second build gives the
# same bytes. BASE_IMAGE is an image of the package's release of Debian, 12 or 13, that reaches apt;
# unless set, it is debian:bookworm-slim or debian:trixie-slim, or the stand-in that
# docker/base-images.sh makes. Everything it makes has a name that begins with
# flowtracker-package-test, and is removed when it ends.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly name=flowtracker-package-test-$$
readonly units=(flowtracker-control flowtracker-dataplane)
work=$(mktemp -d)

step() { printf '\n== %3d s: %s\n' "$SECONDS" "$*"; }
fail() { printf 'package test: FAILED: %s\n' "$*" >&2; exit 1; }
inside() { timeout 180 docker exec -i "$name" "$@"; }
clean_up() {
    local status=$?
    if (( status != 0 )); then
        docker exec "$name" journalctl --no-pager -o cat -n 40 -u 'flowtracker*' >&2 2>/dev/null || true
    fi
    docker rm -f "$name" >/dev/null 2>&1 || true
    docker image rm "$name" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# Repeats a command until it succeeds, for at most half a minute.
eventually() {
    local what=$1 last
    shift
    for (( last = SECONDS + 30; SECONDS <= last; )); do
        if "$@" >"$work/last" 2>&1; then return; fi
        sleep 0.2
    done
    cat "$work/last" >&2
    fail "$what: not within 30 s"
}
is() { [[ $1 == "$2" ]] || fail "$3: \`$1', not \`$2'"; }
property() { inside systemctl show -P "$2" "$1"; }
apt() { inside env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$work/apt" 2>&1 || { cat "$work/apt" >&2; fail "apt-get $*"; }; }
# Prints every file and user of the machine, except for those that dpkg, apt and logs keep for
# themselves and those that exist only at run time.
inventory() {
    inside find / \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /var/log -o -path /var/cache \
        -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /srv/packages \) -prune -o -xdev -printf '%p %y %M %u:%g\n' |
        sort
    inside find /run -name '*flowtracker*' -printf '%p\n'
    inside cat /etc/passwd /etc/group
}
# Makes two interfaces, eth1 and eth2, as an administrator would have them; behind each is a host in
# a namespace of its own.
network() {
    inside bash -euo pipefail <<'END'
for side in 1:left 2:right; do
    n=${side%:*} host=${side#*:}
    ip netns add $host
    ip link add eth$n type veth peer name eth0 netns $host
    ip link set eth$n up
    ip -n $host address add 10.0.0.$n/24 dev eth0
    ip -n $host link set eth0 up
    ip netns exec $host ethtool -K eth0 tx off >/dev/null
done
END
}

(( $# <= 1 )) || fail "unknown argument \`$2'; there is only the package"
deb=${1:-}
if [[ -z $deb ]]; then
    candidates=(target/debian/flowtracker_*_"$(dpkg --print-architecture)".deb)
    [[ -e ${candidates[0]} ]] || fail 'target/debian has no package: make package, or name one'
    deb=${candidates[0]}

    step 'built again under another umask, locale and time zone: the same bytes'
    cp "$deb" "$work/first.deb"
    (umask 077 && LC_ALL=C TZ=Asia/Tokyo docker/packaging/build.sh)
    cmp "$work/first.deb" "$deb" || fail 'the package is not reproducible'
fi
[[ -e $deb ]] || fail "$deb does not exist"
docker version >/dev/null 2>&1 || fail 'the Docker engine does not answer'

if [[ -z ${BASE_IMAGE-} ]]; then
    version=$(dpkg-deb -f "$deb" Version)
    case $version in
        *+deb12) suite=bookworm ;;
        *+deb13) suite=trixie ;;
        *) fail "$version is of neither Debian 12 nor 13: set BASE_IMAGE" ;;
    esac
    images=$(docker/base-images.sh --suite $suite --if-needed)
    eval "$images"
fi
readonly base=${BASE_IMAGE:-debian:bookworm-slim}

step "Debian with systemd, of $base"
# A slim Debian installs no documentation, but this test checks it.
timeout 180 docker build -q -t "$name" - >"$work/build" 2>&1 <<END || { cat "$work/build" >&2; fail "docker build (no registry? see docker/base-images.sh)"; }
FROM $base
RUN rm -f /etc/dpkg/dpkg.cfg.d/docker && apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
    --no-install-recommends systemd-sysv iproute2 ethtool netcat-openbsd man-db bash-completion procps
END
# systemd manages the control groups of the container, which Docker mounts read-only. The container
# is not --privileged: that grants more, and an engine that lacks a capability itself cannot grant
# it.
docker run -d --name "$name" --cgroupns private --cap-add SYS_ADMIN --cap-add NET_ADMIN --cap-add IPC_LOCK \
    --security-opt seccomp=unconfined --security-opt apparmor=unconfined --tmpfs /run --tmpfs /run/lock --tmpfs /tmp \
    -e container=docker "$name" bash -c '
        for mount in $(awk "\$3 ~ /^cgroup/ { print \$2 }" /proc/mounts); do mount -o remount,bind,rw "$mount"; done
        exec /sbin/init' >/dev/null
booted() { inside systemctl is-system-running | grep -E '^(running|degraded)$'; }
eventually 'systemd is up' booted
inside mkdir /srv/packages
docker cp "$deb" "$name:/srv/packages/" >/dev/null
deb=/srv/packages/$(basename "$deb")
inventory >"$work/before"

step 'installation brings its dependencies; the control service runs, the data plane waits for its ports'
apt install --no-install-recommends "$deb"
is "$(property flowtracker-control ActiveState)/$(property flowtracker-control UnitFileState)" active/enabled control
is "$(property flowtracker-dataplane ActiveState)/$(property flowtracker-dataplane UnitFileState)" inactive/disabled 'data plane'
inside sh -c 'apt-get check && dpkg --verify flowtracker' >"$work/verify" 2>&1 || { cat "$work/verify" >&2; fail 'dpkg --verify'; }
user=$(inside stat -c %u "/proc/$(property flowtracker-control MainPID)")
(( user >= 61184 && user <= 65519 )) || fail "the control service runs as user $user, which is not one of systemd's dynamic ones"

step 'units'
inside systemd-analyze verify "${units[@]/%/.service}" 2>"$work/verify" || { cat "$work/verify" >&2; fail 'systemd-analyze verify'; }
inside sh -c 'named=$(cat $(dpkg -L flowtracker | grep "\.service$") | grep -o "/usr/share/doc/[^ ]*[[:alnum:]]") && ls $named' \
    >"$work/docs" 2>&1 || { cat "$work/docs" >&2; fail 'the units name documents that are not there, or none'; }
for unit in flowtracker-control:20 flowtracker-dataplane:40; do
    inside systemd-analyze security --no-pager --threshold="${unit#*:}" "${unit%:*}.service" >"$work/security" ||
        { cat "$work/security" >&2; fail "${unit%:*} is more exposed than it was"; }
    tail -n 1 "$work/security"
done

step 'manual pages, completion'
inside bash -euo pipefail <<'END' || fail 'manual pages'
pages=$(dpkg -L flowtracker | grep '/man/.*gz$')
for page in $pages; do
    warnings=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
    [[ -z $warnings ]] || { echo "$page: $warnings"; exit 1; }
done
for page in ctl ctl-watch flowtracker-control flowtracker-dataplane; do man "$page" | grep -q "^ *$page"; done
echo "$(wc -w <<<"$pages") pages without a warning"
END
is "$(inside bash -c '. /usr/share/bash-completion/completions/ctl
    COMP_WORDS=(ctl wat) COMP_CWORD=1; _ctl ctl wat ctl; echo "${COMPREPLY[@]}"')" watch 'ctl wat<TAB>'

step 'the data plane, told nothing, says what it lacks'
inside systemctl start flowtracker-dataplane
lacks_ports() { inside journalctl -o cat -u flowtracker-dataplane | grep '0 DPDK ports: two are needed'; }
eventually 'the reason is in the journal' lacks_ports
inside systemctl stop flowtracker-dataplane

step 'two interfaces, a real connection, its entries'
network
# The setting that the file has as an example.
inside sed -i -e '/^EAL_ARGS=/d' -e '/net_af_packet/ s/^# *//' /etc/default/flowtracker-dataplane
inside bash -c '. /etc/default/flowtracker-dataplane
    flowtracker-dataplane doctor $EAL_ARGS -- --config /etc/flowtracker/dataplane.toml' || fail 'doctor'
inside systemctl enable -q --now flowtracker-dataplane
eventually 'ctl health is content' inside ctl health
inside ctl health
docker exec -d "$name" sh -c 'ip netns exec right nc -l -p 1234 -s 10.0.0.2 >/tmp/heard'
eventually 'nc listens' inside sh -c 'ip netns exec right ss -tln | grep :1234'
inside sh -c 'echo hello | ip netns exec left nc -N -w 5 10.0.0.2 1234' || fail 'no connection through the data plane'
eventually 'hello has arrived' inside grep hello /tmp/heard
both_ways() { inside ctl list | tee "$work/list" | awk '/10.0.0.1:[0-9]+-10.0.0.2:1234|10.0.0.2:1234-10.0.0.1/ { n++ } END { exit n != 2 }'; }
eventually 'ctl list has both directions' both_ways
cat "$work/list"

step 'members of the group may use it, and nobody else'
is "$(inside ss -Htln)" '' 'listening TCP ports'
for socket in grpc link; do
    is "$(inside stat -c '%a %G' "/run/flowtracker-control/$socket.sock")" '660 flowtracker' "$socket.sock"
done
inside sh -c 'useradd --system --no-create-home --groups flowtracker member && useradd --system --no-create-home stranger'
inside runuser -u member -- ctl health || fail 'a member of the group is not let in'
inside runuser -u member -- ctl whoami | tee "$work/who"
grep -q "^identity .*uid=$(inside id -u member)" "$work/who" || fail 'the service does not know who a member is'
if inside runuser -u stranger -- ctl list >"$work/stranger" 2>&1; then fail 'a stranger is let in'; fi
cat "$work/stranger"
grep -q 'Permission denied' "$work/stranger" || fail 'a stranger is not told why'
inside sh -c 'userdel member && userdel stranger'

step 'killed, it comes back; told nonsense, it does not'
inside systemctl kill -s KILL flowtracker-dataplane
came_back() { (( $(property flowtracker-dataplane NRestarts) == 1 )) && inside ctl health; }
eventually 'the data plane is back' came_back
inside sed -i 's/^#burst = .*/burst = 0/' /etc/flowtracker/dataplane.toml
inside systemctl restart flowtracker-dataplane
failed() { [[ $(property flowtracker-dataplane ActiveState) == failed ]]; }
eventually 'it has given up' failed
is "$(property flowtracker-dataplane ExecMainStatus)" 2 'exit status with burst = 0'
inside sed -i 's/^burst = .*/burst = 16/' /etc/flowtracker/dataplane.toml

step 'systemctl stop'
inside systemctl start flowtracker-dataplane
eventually 'ctl health is content' inside ctl health
inside systemctl stop "${units[@]}"
for unit in "${units[@]}"; do
    is "$(property "$unit" Result)/$(property "$unit" ExecMainCode)/$(property "$unit" ExecMainStatus)" success/1/0 "$unit, stopped"
    if inside test -e "/run/$unit"; then fail "/run/$unit is left"; fi
done

inside test -s /var/lib/flowtracker-dataplane/checkpoint || fail 'the data plane has left no checkpoint'
is "$(inside stat -c %a /var/lib/flowtracker-dataplane)" 700 'the mode of the folder of the checkpoint'

step 'an upgrade keeps what was changed, takes what was not, and does not interrupt the wire'
inside systemctl start "${units[@]}"
eventually 'ctl health is content' inside ctl health
before=$(property flowtracker-control MainPID)/$(property flowtracker-dataplane MainPID)
inside bash -euo pipefail -s "$deb" <<'END'
dpkg-deb -R "$1" /tmp/newer
sed -i 's/^Version: .*/&+newer/' /tmp/newer/DEBIAN/control
echo '# newer' >>/tmp/newer/etc/flowtracker/control.toml
dpkg-deb --root-owner-group -Znone -b /tmp/newer /srv/packages/newer.deb >/dev/null
END
apt install --no-install-recommends /srv/packages/newer.deb
inside grep -q '^burst = 16' /etc/flowtracker/dataplane.toml || fail 'dataplane.toml was overwritten'
inside grep -q 'iface=eth1' /etc/default/flowtracker-dataplane || fail '/etc/default/flowtracker-dataplane was overwritten'
inside grep -q '^# newer' /etc/flowtracker/control.toml || fail 'control.toml is the old one'
eventually 'ctl health is content' inside ctl health
[[ $(property flowtracker-control MainPID) != "${before%/*}" ]] || fail 'the control service is still the old one'
is "$(property flowtracker-dataplane MainPID)" "${before#*/}" 'the data plane was restarted'

step 'removal stops both and keeps the configuration'
apt remove flowtracker
for unit in "${units[@]}"; do
    if inside pgrep -f "^/usr/bin/$unit"; then fail "$unit still runs"; fi
done
inside grep -q '^burst = 16' /etc/flowtracker/dataplane.toml || fail 'dataplane.toml is gone'

step 'purge leaves nothing'
apt purge flowtracker
apt autoremove --purge
inventory >"$work/after"
diff "$work/before" "$work/after" || fail 'the machine is not as it was: see above'

step 'passed'
