#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""transcode.py FILTER PB2-DIR [ROUNDS]: compare our transcoder (build/unit/transcode) with Python's
protobuf, on random messages of every type of cri.proto and kinds.proto: bytes to JSON, with and
without defaults, and JSON to bytes."""
import json
import random
import subprocess
import sys

sys.path.insert(0, sys.argv[2])
from google.protobuf import json_format  # noqa: E402
from google.protobuf.descriptor import FieldDescriptor as F  # noqa: E402
import cri_pb2  # noqa: E402
import kinds_pb2  # noqa: E402

FILTER = sys.argv[1]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 6
DEPTH = 5
seed = random.Random(2)

INTEGERS = {
    F.TYPE_INT32: (-2**31, 2**31 - 1), F.TYPE_SINT32: (-2**31, 2**31 - 1),
    F.TYPE_SFIXED32: (-2**31, 2**31 - 1), F.TYPE_UINT32: (0, 2**32 - 1),
    F.TYPE_FIXED32: (0, 2**32 - 1), F.TYPE_INT64: (-2**63, 2**63 - 1),
    F.TYPE_SINT64: (-2**63, 2**63 - 1), F.TYPE_SFIXED64: (-2**63, 2**63 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1), F.TYPE_FIXED64: (0, 2**64 - 1),
}
TEXTS = ["", "a", "ä", "\U0001f600", "line\nbreak", "\"quoted\\", "\x01", "x" * 300, "\u2028"]
FLOATS = [0.0, 1.0, -1.5, 0.1, 3.4028234663852886e38, 1e-45, 123456.789, float("inf"), 16777217.0]
DOUBLES = FLOATS + [1e300, 5e-324, -1e-7, float("-inf"), 2**53 + 1.0]


def scalar(field):
    if field.type in INTEGERS:
        low, high = INTEGERS[field.type]
        return seed.choice([0, 1, low, high, seed.randint(low, high), max(low, -1)])
    if field.type == F.TYPE_BOOL:
        return seed.random() < 0.5
    if field.type == F.TYPE_STRING:
        return seed.choice(TEXTS)
    if field.type == F.TYPE_BYTES:
        return seed.randbytes(seed.choice([0, 1, 2, 3, 4, 100]))
    if field.type == F.TYPE_ENUM:
        return seed.choice([v.number for v in field.enum_type.values])
    if field.type == F.TYPE_FLOAT:
        return seed.choice(FLOATS)
    return seed.choice(DOUBLES)


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def fill_map(holder, field, depth):
    key_field = field.message_type.fields_by_name["key"]
    value_field = field.message_type.fields_by_name["value"]
    for _ in range(seed.randint(0, 3)):
        key = scalar(key_field)
        if value_field.message_type:
            fill(getattr(holder, field.name)[key], depth - 1)
        else:
            getattr(holder, field.name)[key] = scalar(value_field)


def fill(message, depth=DEPTH):
    for field in message.DESCRIPTOR.fields:
        if seed.random() < 0.3 or (field.message_type and depth == 0):
            continue
        if is_map(field):
            fill_map(message, field, depth)
        elif field.label == F.LABEL_REPEATED:
            for _ in range(seed.randint(0, 3)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), depth - 1)
                else:
                    getattr(message, field.name).append(scalar(field))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), depth - 1)
        else:
            setattr(message, field.name, scalar(field))


def run(mode, lines):
    done = subprocess.run([FILTER, mode], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.split("\n")[:-1]


def all_types():
    for module in (cri_pb2, kinds_pb2):
        for name in sorted(module.DESCRIPTOR.message_types_by_name):
            yield getattr(module, name)


def expected_json(message, defaults):
    text = json_format.MessageToJson(message, including_default_value_fields=defaults, indent=None)
    return json.loads(text)


def main():
    messages, failures = [], 0
    for message_type in all_types():
        for _ in range(ROUNDS * (20 if message_type.DESCRIPTOR.name == "Kinds" else 1)):
            message = message_type()
            fill(message)
            messages.append(message)
    names = [m.DESCRIPTOR.full_name for m in messages]
    wire = [f"{n} {m.SerializeToString().hex()}" for n, m in zip(names, messages)]
    texts = [f"{n} {json.dumps(expected_json(m, False))}" for n, m in zip(names, messages)]

    def differ(what, message, ours, theirs):
        nonlocal failures
        failures += 1
        if failures <= 5:
            print(f"{what} {message.DESCRIPTOR.full_name}:\n  ours   {ours}\n  python {theirs}")

    for defaults in (False, True):
        mode = "decode-defaults" if defaults else "decode"
        for message, line in zip(messages, run(mode, wire), strict=True):
            theirs = expected_json(message, defaults)
            if line.startswith("error: ") or json.loads(line) != theirs:
                differ(mode, message, line, json.dumps(theirs, sort_keys=True))
    for message, line in zip(messages, run("encode", texts), strict=True):
        if line.startswith("error: ") or type(message).FromString(bytes.fromhex(line)) != message:
            differ("encode", message, line, message.SerializeToString().hex())
    print(f"{len(messages)} messages of {len(set(names))} types, {failures} differences")
    return failures != 0


sys.exit(main())
