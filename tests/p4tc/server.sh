#!/bin/sh
# On the host 10.0.0.2.
nc -l -p 1234 -s  10.0.0.2
