#!/usr/bin/env python3
"""What a run wrote for TensorBoard, read by nothing but Python's own library and the public format.

  read_tfevents.py RUN    check that lengths and checksums are right, and that what counts after all
                          purges is what metrics.jsonl, histograms.jsonl, pictures/ and job.ini say
Prints how many scalars, histograms, images and texts count."""
import glob
import json
import os
import struct
import sys

run = sys.argv[1]


def crc32c(data):
    """Bit by bit, as RFC 3720 (B.4) defines it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the check value of CRC-32C
assert crc32c(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        head = data[at : at + 8]
        (n,) = struct.unpack("<Q", head)
        assert struct.unpack("<I", data[at + 8 : at + 12])[0] == masked(head), "checksum of a length"
        body = data[at + 12 : at + 12 + n]
        assert len(body) == n, "a record is cut off"
        tail = data[at + 12 + n : at + 16 + n]
        assert struct.unpack("<I", tail)[0] == masked(body), "checksum of a record"
        yield body
        at += 16 + n


def fields(message):
    """{field: [values]}: integers, or bytes of whatever else."""
    out, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            value = varint()
        else:
            n = {1: 8, 5: 4}.get(key & 7) or varint()
            value = message[at : at + n]
            assert len(value) == n
            at += n
        out.setdefault(key >> 3, []).append(value)
    return out


def doubles(packed):
    return list(struct.unpack("<%dd" % (len(packed) // 8), packed))


def to_float(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


points = {}  # (tag, step): (kind, content)
files = sorted(glob.glob(run + "/tensorboard/events.out.tfevents.*"), key=os.path.getmtime)
for path in files:
    for number, body in enumerate(records(path)):
        event = fields(body)
        (time,) = struct.unpack("<d", event[1][0])
        step = event[2][0] if 2 in event else 0
        assert time > 1.7e9
        if number == 0:
            assert event[3] == [b"brain.Event:2"]
        if number == 1:
            assert fields(event[7][0]) == {1: [1]}, "a session begins"
            points = {k: v for k, v in points.items() if k[1] < step}
        for value in fields(event[5][0])[1] if 5 in event else []:
            value = fields(value)
            (tag,) = value[1]
            (kind,) = [k for k in value if k in (2, 4, 5, 8)]
            key = (tag.decode(), step)
            assert key not in points, "%s is there twice at step %d" % key
            points[key] = (kind, value)

scalars = {k: struct.unpack("<f", v[2][0])[0] for k, (kind, v) in points.items() if kind == 2}
expected = {}
for line in open(run + "/metrics.jsonl"):
    line = json.loads(line)
    for name, value in line.items():
        if name.split(".")[-1] in ("loss", "lr"):
            expected["train/" + name, line["step"]] = to_float(value)
        elif name == "img_per_s":
            expected["speed/img_per_s", line["step"]] = to_float(value)
        elif name == "validate":
            for measure, number in value.items():
                if not isinstance(number, list):
                    expected["validate/" + measure, line["step"]] = to_float(number)
assert scalars.keys() == expected.keys(), sorted(scalars.keys() ^ expected.keys())
for key, value in expected.items():
    assert abs(scalars[key] - value) <= 1e-6 * abs(value), (key, scalars[key], value)

histograms = {k: fields(v[5][0]) for k, (kind, v) in points.items() if kind == 5}
groups = {"weight": "weights", "gradient": "gradients", "activation": "activations"}
if os.path.exists(run + "/histograms.jsonl"):
    for line in open(run + "/histograms.jsonl"):
        line = json.loads(line)
        for t in line["tensors"]:
            name = t["net"] + "." * bool(t["net"]) + t["name"]
            h = histograms.pop((groups[t["kind"]] + "/" + name, line["step"]))
            low, high, n, total, squares = [struct.unpack("<d", h[i][0])[0] for i in range(1, 6)]
            limits, counts = doubles(h[6][0]), doubles(h[7][0])
            size = abs(low) + abs(high)
            assert abs(low - t["min"]) + abs(high - t["max"]) <= 1e-9 * size and n == sum(counts)
            assert len(limits) == len(counts) in (1, 64)
            assert counts == [float(c) for c in t["counts"][: len(counts)]]
            assert limits == sorted(set(limits)) and abs(limits[-1] - t["max"]) <= 1e-9 * size
            assert abs(total / n - t["mean"]) <= 1e-9 * size
            assert abs(squares / n - t["std"] ** 2 - t["mean"] ** 2) <= 1e-9 * size**2
assert not histograms, sorted(histograms)

images = {k: fields(v[4][0]) for k, (kind, v) in points.items() if kind == 4}
n_images = len(images)
for path in glob.glob(run + "/pictures/*.png"):
    name, step = os.path.basename(path)[:-4].rsplit("_", 1)
    image = images.pop(("pictures/" + name, int(step)))
    with open(path, "rb") as file:
        data = file.read()
    width, height = struct.unpack(">II", data[16:24])
    assert image == {1: [height], 2: [width], 3: [3], 4: [data]}
assert not images

texts = {k: v for k, (kind, v) in points.items() if kind == 8}
for value in texts.values():
    assert fields(fields(value[9][0])[1][0])[1] == [b"text"]
    tensor = fields(value[8][0])
    assert tensor[1] == [7] and fields(fields(tensor[2][0])[2][0]) == {1: [1]}
    lines = tensor[8][0].decode().splitlines()
    job = open(run + "/job.ini").read().splitlines()
    assert all(line.startswith("    ") for line in lines)
    assert len(files) > 1 or [line[4:] for line in lines] == job
print(len(scalars), "scalars", sum(1 for k, _ in points.values() if k == 5), "histograms", n_images,
      "images", len(texts), "texts in", len(files), "files")
