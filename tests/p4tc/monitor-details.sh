#!/bin/sh
# Who deletes what goes to port 80 or 9999. Text, although JSON is asked for: the original has no JSON here either.
TC=ctl
export INTROSPECTION=.

$TC -j -d -timestamp -tshort monitor p4 events flowtracker/table/Main/ct_flow_table \
    filter cmd = delete '&&' '(' key.dstPort = 80 '||' key.dstPort = 9999 ')'
