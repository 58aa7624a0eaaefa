# SPDX-License-Identifier: Apache-2.0
"""The fields of the messages beneath a PodSandboxConfig and a ContainerConfig in a .proto file, as
MESSAGE.field in protobuf's JSON mapping, one a line; with --document, a cri that has each of them."""
import json
import re
import sys

SCALARS = {"string", "bool", "bytes", "int32", "int64", "uint32", "uint64"}


def camel(name):
    return re.sub("_([A-Za-z0-9])", lambda match: match[1].upper(), name)


def messages(text):
    found = {}
    for match in re.finditer(r"^message (\w+) \{\n(.*?)^\}", text, re.M | re.S):
        # messages and enumerations within it are not its own fields
        body = re.sub(r"^\t(enum|message) .*?^\t\}", "", match[2], flags=re.M | re.S)
        fields = re.findall(r"^\s*(repeated )?(map<[^>]*>|[\w.]+) (\w+) = \d+", body, re.M)
        found[match[1]] = [(bool(repeated), kind, camel(name)) for repeated, kind, name in fields]
    return found


def reachable(known, name, seen):
    if name in known and name not in seen:
        seen.append(name)
        for _, kind, _ in known[name]:
            reachable(known, kind, seen)
    return seen


def example(known, name):
    value = {}
    for repeated, kind, field in known[name]:
        if kind not in known:
            value[field] = None
        else:
            inner = example(known, kind)
            value[field] = [inner] if repeated else inner
    return value


def main():
    with open(sys.argv[-1], encoding="utf-8") as file:
        known = messages(file.read())
    if sys.argv[1] == "--document":
        print(json.dumps({"pod": example(known, "PodSandboxConfig"),
                          "container": example(known, "ContainerConfig"), "sandbox": {}}))
        return
    for name in reachable(known, "PodSandboxConfig", reachable(known, "ContainerConfig", [])):
        for _, _, field in known[name]:
            print(f"{name}.{field}")


main()
