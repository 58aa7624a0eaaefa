# SPDX-License-Identifier: Apache-2.0
"""Compare configurations, one a line, with the first: each differs in the members it expects only,
and fits the schema. Members are written as paths whose indexes are "*"."""
import json
import sys

import jsonschema


def members(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield from members(item, path + (key,))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from members(item, path + (i,))
    else:
        yield path, value


def differences(a, b):
    a, b = dict(members(a)), dict(members(b))
    return {
        "/".join("*" if isinstance(part, int) else part for part in path)
        for path in a.keys() | b.keys()
        if a.get(path) != b.get(path)
    }


with open(sys.argv[1], encoding="utf-8") as file:
    check = jsonschema.Draft7Validator(json.load(file))
first, *rest = (json.loads(line) for line in sys.stdin)
failed = False
for row in rest:
    found = differences(first["config"], row["config"])
    if found != set(row["expected"].split()):
        failed = True
        print(f"{row['options']} changes {sorted(found)}, not {row['expected']}")
    for error in check.iter_errors(row["config"]):
        failed = True
        print(f"{row['options']}: {list(error.absolute_path)}: {error.message}")
sys.exit(failed)
