#!/bin/sh
# Reads the table of IPv6, while a connection from [2001:db8::1]:36876 to [2001:db8::2]:1234 is open.
TC=ctl
export INTROSPECTION=.
TABLE=flowtracker_ipv6/table/Main/ct_flow_table
KEY="input_port port0 srcAddr 2001:db8::1 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1234"

# One entry, in each form.
$TC p4ctrl get $TABLE $KEY
$TC -d p4ctrl get $TABLE $KEY
$TC -j p4ctrl get $TABLE $KEY
$TC -j -p p4ctrl get $TABLE $KEY

# The fields in another order, addresses in another form; two entries in one message; the compact form.
$TC p4ctrl get flowtracker_ipv6/table/Main/ct_tcp_table dstPort 1234 srcPort 0x900c hdr.ipv6.nextHdr 6 \
    dstAddr 2001:0db8:0:0:0:0:0:2/128 srcAddr 2001:DB8::0.0.0.1 input_port 1
$TC p4c g $TABLE $KEY entry input_port port1 srcAddr 2001:db8::2 dstAddr 2001:db8::1 protocol 6 srcPort 1234 dstPort 36876
$TC p4ctrl get $TABLE 'port0/tcp/[2001:db8::1]:36876-[2001:db8::2]:1234'

# The part of the table that a filter wants.
$TC p4ctrl get $TABLE filter key.input_port = port1
$TC p4ctrl get $TABLE filter 'key.srcAddr = "2001:db8::/127" && (key.dstPort = 1234 || prio < 1) && family = 6'
$TC p4ctrl get $TABLE filter 'key.hdr.ipv6.nextHdr != 6'
$TC -j p4ctrl get $TABLE filter 'key.srcAddr = "10.0.0.0/8"'

# Addresses as inet_ntop prints them.
create() { $TC p4ctrl create $TABLE input_port port0 srcAddr "$1" dstAddr "$2" protocol 6 srcPort 1 dstPort 22; }
create ::1.2.3.4 ::ffff:1.2.3.4
create :: ::1
create 0:0:0:0:0:ffff:0:1 64:ff9b::102:304
create 2001:db8:0:0:1:0:0:0 2001:db8:0:0:1:0:0:1
create 2001:db8:0:1:1:1:1:1 FE80:0:0:0:0:0:0:0001
create 0:0:1:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
$TC p4ctrl get $TABLE filter 'key.dstPort = 22'
$TC -j p4ctrl get $TABLE filter 'key.dstPort = 22'
$TC p4ctrl get $TABLE input_port port0 srcAddr ::102:304 dstAddr ::ffff:102:304 protocol 6 srcPort 1 dstPort 22

# The table of IPv4 has none of these entries.
$TC p4ctrl get flowtracker/table/Main/ct_flow_table
$TC -j p4ctrl get flowtracker/table/Main/ct_flow_table

# The help, and the description of the table.
$TC p4ctrl get $TABLE help
$TC p4ctrl create $TABLE help
$TC p4template get table/flowtracker_ipv6/Main/ct_flow_table
$TC -j p4template get table/flowtracker_ipv6/Main/ct_flow_table

# What is refused.
$TC p4ctrl get $TABLE input_port port0 srcAddr 2001:db8::1 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1235
$TC p4ctrl get $TABLE input_port port0 srcAddr 2001:db8::1
$TC p4ctrl get $TABLE input_port port0 srcAddr 10.0.0.1 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE input_port port0 srcAddr fe80::1%eth0 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE input_port port0 srcAddr 2001:db8::1/64 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE input_port port0 srcAddr 2001:db8:::1 dstAddr 2001:db8::2 protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get $TABLE input_port port0 srcAddr 2001:db8::1 dstAddr 2001:db8::2 hdr.ipv4.protocol 6 srcPort 36876 dstPort 1234
$TC p4ctrl get flowtracker/table/Main/ct_flow_table $KEY
$TC p4ctrl get $TABLE pipeid 1
$TC p4ctrl get $TABLE filter 'key.srcAddr = "2001:db8::/129"'
$TC p4ctrl get $TABLE filter 'family = 5'
$TC p4template get table/flowtracker_ipv4/Main/ct_flow_table
