"""Asks for a page and prints it as JSON. What stands under /metrics is read by Prometheus' own Python client."""

import json
import sys
import urllib.error
import urllib.request

import prometheus_client.openmetrics.parser
import prometheus_client.parser

url, accept = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    response = opener.open(urllib.request.Request(url, headers={"Accept": accept}))
except urllib.error.HTTPError as refused:
    response = refused
text = response.read().decode()
kind = response.headers["Content-Type"]
samples = []
if url.endswith("/metrics"):
    parser = prometheus_client.openmetrics.parser if kind.startswith("application/") else prometheus_client.parser
    for family in parser.text_string_to_metric_families(text):
        samples += [{"name": s.name, "labels": s.labels, "value": s.value} for s in family.samples]
print(json.dumps({"status": response.status, "content_type": kind, "text": text, "samples": samples}))
