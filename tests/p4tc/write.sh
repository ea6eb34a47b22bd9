#!/bin/sh
# Writes entries and deletes them, while a connection from 10.0.0.1:36876 to 10.0.0.2:1234 is open. Timer profile 3 has
# to be a short one.
cd "$(dirname "$0")"
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker/table/Main/ct_flow_table
key() { echo "input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort $1 dstPort $2"; }

# Static, unless it is to be dynamic.
$TC p4ctrl create $TABLE $(key 1 80)
$TC -echo p4ctrl create $TABLE $(key 2 80) action NoAction
$TC -d -echo p4ctrl create $TABLE $(key 3 80) dynamic
$TC -j -echo p4ctrl create $TABLE $(key 4 443) dynamic profile_id 1
$TC -j -p -echo p4ctrl create $TABLE $(key 5 443) permissions 0x1c24 aging 90000 dynamic
$TC p4ctrl create $TABLE $(key 6 443) entry $(key 7 443) dynamic
$TC -d p4ctrl get $TABLE $(key 6 443) entry $(key 7 443)
$TC p4ctrl create $TABLE $(key 1 80)
$TC p4ctrl create $TABLE $(key 8 443) entry $(key 1 80) entry $(key 9 443)
$TC p4ctrl get $TABLE $(key 8 443)
$TC p4ctrl get $TABLE $(key 9 443)

# What an entry cannot be.
$TC p4ctrl create $TABLE
$TC p4ctrl create $TABLE $(key 10 80) aging 60000
$TC p4ctrl create $TABLE $(key 10 80) profile_id 1
$TC p4ctrl create $TABLE $(key 10 80) dynamic aging 60000 profile_id 1
$TC p4ctrl create $TABLE $(key 10 80) dynamic aging 7
$TC p4ctrl create $TABLE $(key 10 80) dynamic profile_id 9
$TC p4ctrl create $TABLE $(key 10 80) dynamic profile_id 16
$TC p4ctrl create $TABLE $(key 10 80) permissions 0x1dbe
$TC p4ctrl create $TABLE $(key 10 80) permissions 0x3dbc
$TC p4ctrl create $TABLE $(key 10 80) permissions 0x7dbc
$TC p4ctrl create $TABLE $(key 10 80) prio 1
$TC p4ctrl create $TABLE $(key 10 80) action Main/ct_flow_miss
$TC p4ctrl create $TABLE filter prio = 1
$TC p4ctrl create $TABLE input_port port2 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 1 dstPort 1

# What is not given stays as it is.
$TC -echo p4ctrl update $TABLE $(key 1 80) dynamic profile_id 2
$TC -d -echo p4ctrl update $TABLE $(key 1 80)
$TC -j -echo p4ctrl update $TABLE $(key 1 80) aging 60000
$TC -echo p4ctrl update $TABLE $(key 1 80) dynamic permissions 1d24
$TC p4ctrl update $TABLE $(key 2 80) aging 60000
$TC p4ctrl update $TABLE $(key 2 80) profile_id 1
$TC p4ctrl update $TABLE $(key 10 80) dynamic
$TC p4ctrl update $TABLE input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1234

# Without R, U, D, P of the control half.
$TC p4ctrl create $TABLE $(key 11 22) permissions 0x0dbc
$TC p4ctrl get $TABLE $(key 11 22)
$TC p4ctrl get $TABLE filter key.dstPort = 22
$TC p4ctrl create $TABLE $(key 12 23) permissions 0x15bc
$TC p4ctrl update $TABLE $(key 12 23) dynamic
$TC p4ctrl create $TABLE $(key 13 24) permissions 0x19bc
$TC p4ctrl delete $TABLE $(key 13 24)
$TC -echo p4ctrl create $TABLE $(key 14 25) permissions 0x1cbc
$TC p4ctrl get $TABLE $(key 14 25)
$TC -echo p4ctrl update $TABLE $(key 14 25)
$TC -echo p4ctrl delete $TABLE $(key 14 25)

# One by one.
$TC -echo p4ctrl delete $TABLE $(key 1 80)
$TC -d -echo p4ctrl del $TABLE $(key 2 80)
$TC -j -echo p4ctrl delete $TABLE $(key 3 80) entry $(key 4 443)
$TC p4ctrl delete $TABLE $(key 3 80)
$TC p4ctrl delete $TABLE $(key 5 443) entry $(key 6 443)

# From a file: a command that fails ends it, unless it is forced.
$TC -batch entries.batch
$TC -force -batch entries.batch
$TC -batch missing.batch

# Many at once.
$TC p4ctrl delete $TABLE filter 'key.dstPort = 443 && msecs_since > 3600000'
$TC -echo p4ctrl delete $TABLE filter 'key.dstPort = 443'
$TC p4ctrl delete $TABLE filter 'key.dstPort = 24'
$TC p4ctrl delete $TABLE filter 'key.dstPort = 24 || key.dstPort = 23'
$TC p4ctrl delete $TABLE filter 'key.dstPort >'
$TC -j -echo p4ctrl delete $TABLE filter 'key.dstPort != 24'
$TC p4ctrl get $TABLE

# The timer deletes what nobody else does.
$TC p4ctrl create $TABLE $(key 15 9999) dynamic profile_id 3
