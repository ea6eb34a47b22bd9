#!/bin/sh
# What comes and goes in the table of IPv6, and who did it.
TC=ctl
export INTROSPECTION=.

$TC -d mon p4 events flowtracker_ipv6/table/Main/ct_flow_table
