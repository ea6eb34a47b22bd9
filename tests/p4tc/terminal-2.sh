#!/bin/sh
# Terminal 2: put the program in place. Instead of template and filter there is `ctl load`; a data plane starts with the
# program attached, so what is there is taken away first.
TC=ctl

$TC purge
$TC load
