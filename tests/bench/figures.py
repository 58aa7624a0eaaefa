# SPDX-License-Identifier: Apache-2.0
"""Figures of benchmarks, one JSON object a line on stdout."""
import json


def figure(name, unit, ours, theirs=None, peer=None):
    """Of ours, and of a peer's where there is one: the ratio is ours by theirs, so less is better."""
    row = {"name": name, "unit": unit, "ours": round(ours, 3)}
    if theirs is not None:
        row.update(peer=peer, theirs=round(theirs, 3), ratio=round(ours / theirs, 3))
    print(json.dumps(row), flush=True)


def absent(name, unit, peer):
    """The peer with which it would be compared is not installed."""
    print(json.dumps({"name": name, "unit": unit, "absent": peer}), flush=True)
