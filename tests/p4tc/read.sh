#!/bin/sh
# Reads the table, while a connection from 10.0.0.1:36876 to 10.0.0.2:1234 is open.
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker/table/Main/ct_flow_table
KEY="input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1234"

# One entry, in each form.
$TC p4ctrl get $TABLE $KEY
$TC -d p4ctrl get $TABLE $KEY
$TC -j p4ctrl get $TABLE $KEY
$TC -j -p p4ctrl get $TABLE $KEY

# The fields in another order; the table's older name; shortened words; two entries in one message.
$TC p4ctrl get flowtracker/table/Main/ct_tcp_table dstPort 1234 srcPort 0x900c hdr.ipv4.protocol 6 \
    dstAddr 10.0.0.2/32 srcAddr 10.0.0.1 input_port 1
$TC p4c g $TABLE $KEY entry input_port port1 srcAddr 10.0.0.2 dstAddr 10.0.0.1 protocol 6 srcPort 1234 dstPort 36876

# The part of the table that a filter wants.
$TC p4ctrl get $TABLE filter key.input_port = port1
$TC p4ctrl get $TABLE filter 'key.srcAddr = "10.0.0.0/31" && (key.dstPort = 1234 || prio < 1)'
$TC p4ctrl get $TABLE filter 'msecs_since > 3600000'
$TC -j p4ctrl get $TABLE filter 'msecs_since > 3600000'

# What can be said, and how the table is made.
$TC p4ctrl get $TABLE help
$TC p4ctrl create $TABLE help
$TC p4template get table/flowtracker/Main/ct_flow_table
$TC -j p4template get table/flowtracker/Main/ct_flow_table

# What is refused.
$TC p4ctrl get $TABLE input_port port0 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1235
$TC p4ctrl get $TABLE input_port port0 srcAddr 10.0.0.1
$TC p4ctrl get $TABLE input_port port7 srcAddr 10.0.0.1 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE input_port port0 srcAddr 10.0.0.256 dstAddr 10.0.0.2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE $KEY filter prio = 1
$TC p4ctrl get $TABLE filter
$TC p4ctrl get $TABLE filter prio = 1 filter prio = 2
$TC p4ctrl get $TABLE filter 'key.dstPort > 1'
$TC p4ctrl get $TABLE filter '!(!(!(!(!(!(prio = 1))))))'
$TC p4ctrl get $TABLE filter 'cmd = delete'
$TC p4ctrl get $TABLE filter 'param.act.Main.a.b = 1'
$TC p4ctrl get other/table/Main/ct_flow_table
$TC p4ctrl get flowtracker/table/Main/other
$TC p4ctrl get flowtracker/extern/Main/ct_flow_table
$TC p4ctrl
$TC p4ctrl replace $TABLE $KEY
$TC -x p4ctrl get $TABLE
$TC mon p4 digest
$TC mon p4 events other/table/Main/ct_flow_table
$TC p4template del table/flowtracker/Main/ct_flow_table
