#!/bin/sh
# To clean up: instead of flowtracker.purge.
TC=ctl

$TC purge
