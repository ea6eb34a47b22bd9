#!/bin/sh
# Other commands.
TC=ctl
export INTROSPECTION=.

$TC p4ctrl get flowtracker/table/Main/ct_flow_table

$TC -j p4ctrl get flowtracker/table/Main/ct_flow_table
