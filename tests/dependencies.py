#!/usr/bin/env python3
"""Checks licences, sources and duplicate versions of all dependencies by .config/deny.toml.

Prints one line per complaint; the exit status is 1 when there is one. Dependencies are those of this
platform, with the dependencies of tests and build scripts, as Cargo.lock has them.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / ".config/deny.toml"


def packages():
    """The packages that are compiled on this platform."""
    version = ["rustc", "-vV"]
    host = subprocess.run(version, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    triple = re.search(r"^host: (.*)$", host, re.MULTILINE)[1]
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--format-version=1", "--locked"]
    command.append(f"--filter-platform={triple}")
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    return [package for package in metadata["packages"] if package["id"] in used]


def permits(expression, allowed):
    """Whether an SPDX expression can be met by the allowed licences. `/` is an old way to write OR."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression)
    tokens.append(None)

    def either():
        met = both()
        while tokens[0] in ("OR", "/"):
            tokens.pop(0)
            met = both() or met
        return met

    def both():
        met = one()
        while tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one():
        licence = tokens.pop(0)
        if licence == "(":
            met = either()
            if tokens.pop(0) != ")":
                raise ValueError(f"not an SPDX expression: {expression}")
            return met
        if tokens[0] == "WITH":
            licence += f" WITH {tokens[1]}"
            del tokens[:2]
        return licence in allowed

    met = either()
    if tokens != [None]:
        raise ValueError(f"not an SPDX expression: {expression}")
    return met


def complaints(packages, config):
    """One line for each thing that the configuration does not permit, or no longer needs."""
    allowed = set(config["licenses"]["allow"])
    registries = {f"registry+{url}" for url in config["sources"]["allow-registry"]}
    versions = defaultdict(set)
    for package in packages:
        name = f"{package['name']}@{package['version']}"
        versions[package["name"]].add(name)
        if not permits(package["license"] or "none", allowed):
            yield f"{name}: the licence {package['license']} is not allowed"
        # A package of this workspace has no source.
        if package["source"] not in registries and package["source"] is not None:
            yield f"{name}: the source {package['source']} is not allowed"
    skipped = {entry["crate"]: entry.get("reason") for entry in config["bans"]["skip"]}
    for names in versions.values():
        tolerated = names & skipped.keys()
        if len(names - tolerated) > 1:
            yield f"{', '.join(sorted(names))}: one version is enough, or `skip` has to say why not"
        if len(names) == 1 and tolerated:
            yield f"{tolerated.pop()}: the only version of its crate needs no `skip`"
    for name, reason in skipped.items():
        if name not in set().union(*versions.values()):
            yield f"{name}: nothing depends on it, so it needs no `skip`"
        if not reason:
            yield f"{name}: `skip` does not say why"


def main():
    with CONFIG.open("rb") as file:
        config = tomllib.load(file)
    found = list(complaints(packages(), config))
    for complaint in found:
        print(f"dependencies: {complaint}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
