#!/bin/sh
# When things come and go.
TC=ctl

$TC -timestamp mon p4 events
