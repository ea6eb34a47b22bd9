#!/bin/sh
# Writes entries of IPv6 and deletes them, while a connection from [2001:db8::1]:36876 to
# [2001:db8::2]:1234 is open. Timer profile 3 has to be a short one.
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker_ipv6/table/Main/ct_flow_table
key() { echo "input_port port0 srcAddr 2001:db8::1 dstAddr ::ffff:10.0.0.2 protocol 6 srcPort $1 dstPort $2"; }

# Static, unless it is to be dynamic.
$TC p4ctrl create $TABLE $(key 1 80)
$TC -echo p4ctrl create $TABLE $(key 2 80) action NoAction
$TC -d -echo p4ctrl create $TABLE $(key 3 80) dynamic
$TC -j -echo p4ctrl create $TABLE $(key 4 443) dynamic profile_id 1
$TC -j -p -echo p4ctrl create $TABLE $(key 5 443) permissions 0x1c24 aging 90000 dynamic
$TC p4ctrl create $TABLE $(key 1 80)
$TC p4ctrl create $TABLE $(key 10 80) permissions 0x1dbc

# Attributes that are not given stay unchanged.
$TC -echo p4ctrl update $TABLE $(key 1 80) dynamic profile_id 2
$TC -d -echo p4ctrl update $TABLE $(key 1 80)
$TC -j -echo p4ctrl update $TABLE $(key 1 80) aging 60000
$TC p4ctrl update $TABLE $(key 10 80) dynamic

# An entry of the table of IPv4 stays when the table of IPv6 is flushed.
$TC p4ctrl create flowtracker/table/Main/ct_flow_table input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 1 dstPort 80

# One by one.
$TC -echo p4ctrl delete $TABLE $(key 1 80)
$TC -d -echo p4ctrl del $TABLE $(key 2 80)
$TC -j -echo p4ctrl delete $TABLE $(key 3 80) entry $(key 4 443)
$TC p4ctrl delete $TABLE $(key 3 80)

# Many at once.
$TC p4ctrl create $TABLE $(key 6 80) entry $(key 7 80)
$TC -echo p4ctrl delete $TABLE filter 'key.dstAddr = "::ffff:10.0.0.0/104" && key.dstPort = 80'
$TC -j -echo p4ctrl delete $TABLE filter 'key.srcAddr = "2001:db8::/32" && key.dstPort != 36876 && key.dstPort != 1234'
$TC p4ctrl get $TABLE filter 'key.srcPort != 36876 && key.srcPort != 1234'
$TC p4ctrl get flowtracker/table/Main/ct_flow_table

# The timer deletes what nobody else does.
$TC p4ctrl create $TABLE $(key 15 9999) dynamic profile_id 3
