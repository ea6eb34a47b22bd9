#!/bin/sh
# Terminal 3, on the host 10.0.0.1.
nc 10.0.0.2 1234
