#!/bin/sh
# Changes the table, takes the program away and puts it back.
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker/table/Main/ct_flow_table
TEMPLATE=table/flowtracker/Main/ct_flow_table
key() { echo "input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort $1 dstPort $2"; }

# Timer profiles: entries keep the aging that they have.
$TC p4ctrl create $TABLE $(key 1 80) dynamic profile_id 1
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1 aging 50000
$TC p4ctrl create $TABLE $(key 2 80) dynamic profile_id 1
$TC p4ctrl get $TABLE $(key 1 80)
$TC p4ctrl get $TABLE $(key 2 80)
$TC -j p4template get $TEMPLATE
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 2 aging 50000
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 9 aging 7000
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1 aging 0
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1 aging 864000001
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1
$TC p4ctrl update $TABLE tbl_attrs
$TC p4ctrl update $TABLE tbl_attrs default_miss_action action NoAction

# Permissions: only of an empty table.
$TC p4ctrl update $TABLE tbl_attrs tbl_permissions 0x1dfc
$TC -echo p4ctrl delete $TABLE
$TC -echo p4ctrl delete $TABLE
$TC p4ctrl update $TABLE tbl_attrs tbl_permissions 0x1dfc
$TC p4ctrl create $TABLE $(key 3 80)
$TC p4template get $TEMPLATE
$TC p4ctrl update $TABLE tbl_attrs tbl_permissions 0x3de6
$TC -echo p4ctrl create $TABLE $(key 4 80)
$TC introspect

# Without a program there are no entries.
$TC purge
$TC p4ctrl get $TABLE
$TC p4ctrl create $TABLE $(key 5 80)
$TC p4ctrl update $TABLE $(key 5 80)
$TC p4ctrl delete $TABLE $(key 4 80)
$TC p4ctrl delete $TABLE
$TC p4ctrl update $TABLE tbl_attrs timer_profile id 1 aging 6000
$TC purge
$TC load
$TC load
$TC p4ctrl get $TABLE
$TC p4ctrl create $TABLE $(key 6 9999)
$TC p4ctrl delete $TABLE $(key 6 9999)
