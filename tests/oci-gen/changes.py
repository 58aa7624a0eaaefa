# SPDX-License-Identifier: Apache-2.0
"""Compare configurations, one a line, with the first: each differs in the members only that its row
of the file says, as PATH… | OPTION…, and fits the schema. Indexes in paths are "*"."""
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
with open(sys.argv[2], encoding="utf-8") as file:
    rows = file.read().splitlines()
first, *configs = (json.loads(line) for line in sys.stdin)
failed = len(rows) != len(configs)
for row, config in zip(rows, configs):
    expected, options = row.split("|", 1)
    found = differences(first, config)
    if found != set(expected.split()):
        failed = True
        print(f"{options} changes {sorted(found)}, not {expected}")
    for error in check.iter_errors(config):
        failed = True
        print(f"{options}: {list(error.absolute_path)}: {error.message}")
sys.exit(failed)
