#!/bin/sh
# Changes the table of IPv6, then detaches and attaches it. The table of IPv4 stays unchanged.
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker_ipv6/table/Main/ct_flow_table
TABLE4=flowtracker/table/Main/ct_flow_table
TEMPLATE=table/flowtracker_ipv6/Main/ct_flow_table
key() { echo "input_port port0 srcAddr 2001:db8::1 dstAddr 2001:db8::2 protocol 6 srcPort $1 dstPort $2"; }
KEY4="input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 1 dstPort 80"

$TC p4ctrl create $TABLE4 $KEY4 dynamic profile_id 1
$TC p4ctrl create $TABLE $(key 1 80) dynamic profile_id 1
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1 aging 50000
$TC p4ctrl create $TABLE $(key 2 80) dynamic profile_id 1
$TC p4ctrl get $TABLE $(key 1 80)
$TC p4ctrl get $TABLE $(key 2 80)
$TC p4ctrl get $TABLE4 $KEY4
$TC -j p4template get $TEMPLATE
$TC -j p4template get table/flowtracker/Main/ct_flow_table
$TC p4ctrl update $TABLE tbl_attrs tbl_permissions 0x1dfc
$TC -echo p4ctrl delete $TABLE
$TC p4ctrl update $TABLE tbl_attrs tbl_permissions 0x3dfc
$TC -echo p4ctrl create $TABLE $(key 4 80)
$TC -6 introspect

# One program without the other.
$TC purge -6
$TC p4ctrl get $TABLE
$TC p4ctrl create $TABLE $(key 5 80)
$TC p4ctrl get $TABLE4 $KEY4
$TC purge -6
$TC load -6
$TC load -6
$TC p4ctrl create $TABLE $(key 6 9999)
$TC p4ctrl delete $TABLE $(key 6 9999)
