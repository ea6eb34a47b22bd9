#!/bin/sh
# Terminal 1: what comes and goes.
TC=ctl
export INTROSPECTION=.

$TC mon p4 events
