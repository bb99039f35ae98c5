#!/usr/bin/env python3
"""Split a GGUF file into shards, or check that shards hold what the whole file holds.

The shards follow llama.cpp's own naming and keys (NAME-00001-of-0000N.gguf; split.no, split.count,
split.tensors.count), so llama.cpp and anubad load all of them when given the first. The first shard carries
all metadata, the others only the split keys. Tensors keep their order and their bytes.

    split_gguf.py IN.gguf OUT_FOLDER [--name NAME] [--max-size 95000000]
    split_gguf.py IN.gguf OUT_FOLDER --check      # compares every tensor and every metadata value, writes nothing

Needs Python 3.9 or newer and nothing else.
"""
import argparse
import hashlib
import os
import struct
import sys

MAGIC = b"GGUF"
ALIGNMENT = 32
UINT16, INT32, UINT32, STRING, ARRAY = 2, 5, 4, 8, 9
# GGUF value type -> bytes; strings and arrays have their own layout
FIXED = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
SPLIT_KEYS = ("split.no", "split.count", "split.tensors.count")


class Gguf:
    """Header of a GGUF v3 file: raw metadata entries and the place of each tensor's bytes."""

    def __init__(self, path):
        self.path = path
        self.size = os.path.getsize(path)
        with open(path, "rb") as file:
            self._file = file
            if self._read(4) != MAGIC:
                sys.exit(f"{path}: not a GGUF file")
            version, tensors, entries = struct.unpack("<IQQ", self._read(20))
            if version != 3:
                sys.exit(f"{path}: GGUF version {version}; only version 3 is supported")
            self.metadata = {}  # key -> (type, raw bytes of the value)
            for _ in range(entries):
                key = self._string().decode("utf-8")
                (kind,) = struct.unpack("<I", self._read(4))
                self.metadata[key] = (kind, self._value(kind))
            infos = []
            for _ in range(tensors):
                name = self._string()
                (rank,) = struct.unpack("<I", self._read(4))
                shape = self._read(8 * rank)
                kind, offset = struct.unpack("<IQ", self._read(12))
                infos.append((name, rank, shape, kind, offset))
            alignment = self.metadata.get("general.alignment")
            self.alignment = struct.unpack("<I", alignment[1])[0] if alignment else ALIGNMENT
            start = pad(file.tell(), self.alignment)
            # A tensor's bytes reach to the next one's offset: padding may be included, harmlessly.
            ends = sorted(info[4] for info in infos) + [self.size - start]
            following = dict(zip(ends, ends[1:]))
            self.tensors = [
                (name, rank, shape, kind, start + offset, following[offset] - offset)
                for name, rank, shape, kind, offset in infos
            ]
            del self._file

    def _read(self, count):
        data = self._file.read(count)
        if len(data) != count:
            sys.exit(f"{self.path}: ends in the middle of its header; the file is damaged")
        return data

    def _string(self):
        (length,) = struct.unpack("<Q", self._read(8))
        if length > self.size:
            sys.exit(f"{self.path}: a string of {length} bytes is announced; the file is damaged")
        return self._read(length)

    def _value(self, kind):
        if kind == STRING:
            text = self._string()
            return struct.pack("<Q", len(text)) + text
        if kind == ARRAY:
            head = self._read(12)
            inner, count = struct.unpack("<IQ", head)
            if inner in FIXED:
                return head + self._read(FIXED[inner] * count)
            return head + b"".join(self._value(inner) for _ in range(count))
        return self._read(FIXED[kind])

    def digest(self, tensor):
        """SHA-256 of a tensor's bytes without trailing padding."""
        return hashlib.sha256(self.data(tensor).rstrip(b"\0")).hexdigest()

    def data(self, tensor):
        with open(self.path, "rb") as file:
            file.seek(tensor[4])
            return file.read(tensor[5])


def pad(offset, alignment):
    return (offset + alignment - 1) // alignment * alignment


def entry(key, kind, raw):
    name = key.encode("utf-8")
    return struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + raw


def distribute(tensors, limit):
    """Cuts the list of tensors into the fewest runs below `limit` bytes, of about equal size."""
    total = sum(tensor[5] for tensor in tensors)
    count = -(-total // limit)
    shards = [[]]
    filled = 0
    for tensor in tensors:
        # Half a tensor past the mark belongs to the next shard: cuts fall at the nearest boundary.
        if shards[-1] and filled + tensor[5] / 2 > total * len(shards) / count and len(shards) < count:
            shards.append([])
        shards[-1].append(tensor)
        filled += tensor[5]
    worst = max(sum(tensor[5] for tensor in shard) for shard in shards)
    if worst > limit:
        sys.exit(f"a shard would have {worst} bytes, more than --max-size {limit}; give a larger --max-size")
    return shards


def write_shard(source, tensors, path, number, count):
    metadata = [entry(k, *v) for k, v in source.metadata.items() if k not in SPLIT_KEYS] if number == 0 else []
    if number > 0 and source.alignment != ALIGNMENT:
        metadata.append(entry("general.alignment", UINT32, struct.pack("<I", source.alignment)))
    metadata.append(entry("split.no", UINT16, struct.pack("<H", number)))
    metadata.append(entry("split.count", UINT16, struct.pack("<H", count)))
    metadata.append(entry("split.tensors.count", INT32, struct.pack("<i", len(source.tensors))))
    header = MAGIC + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + b"".join(metadata)
    offset = 0
    for name, rank, shape, kind, _, size in tensors:
        header += struct.pack("<Q", len(name)) + name + struct.pack("<I", rank) + shape
        header += struct.pack("<IQ", kind, offset)
        offset = pad(offset + size, source.alignment)
    with open(path, "wb") as file:
        file.write(header + b"\0" * (pad(len(header), source.alignment) - len(header)))
        for tensor in tensors:
            data = source.data(tensor)
            file.write(data + b"\0" * (pad(len(data), source.alignment) - len(data)))


def shard_path(folder, name, number, count):
    return os.path.join(folder, f"{name}-{number + 1:05d}-of-{count:05d}.gguf")


def check(source, folder, name):
    """Exits with a message unless the shards hold exactly the source's tensors and metadata."""
    first = [f for f in sorted(os.listdir(folder)) if f.startswith(name + "-00001-of-") and f.endswith(".gguf")]
    if not first:
        sys.exit(f"{folder}: no {name}-00001-of-*.gguf there")
    count = int(first[0][-10:-5])
    shards = [Gguf(shard_path(folder, name, number, count)) for number in range(count)]
    for key, value in source.metadata.items():
        if key not in SPLIT_KEYS and shards[0].metadata.get(key) != value:
            sys.exit(f"{shards[0].path}: metadata {key} differs from {source.path}")
    found = {tensor[0]: (shard, tensor) for shard in shards for tensor in shard.tensors}
    if len(found) != len(source.tensors):
        sys.exit(f"{folder}: {len(found)} tensors in the shards, {len(source.tensors)} in {source.path}")
    for tensor in source.tensors:
        shard, other = found[tensor[0]]
        if tensor[1:4] != other[1:4] or source.digest(tensor) != shard.digest(other):
            sys.exit(f"{shard.path}: tensor {tensor[0].decode()} differs from {source.path}")
    print(f"{count} shards hold the same {len(found)} tensors and {len(source.metadata)} metadata values")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input")
    parser.add_argument("folder")
    parser.add_argument("--name", help="file name before -00001-of-… (default: the input's, without .gguf)")
    parser.add_argument("--max-size", type=int, default=95_000_000, help="bytes of tensors in a shard (95000000)")
    parser.add_argument("--check", action="store_true", help="compare shards that are there with the input")
    args = parser.parse_args()
    name = args.name or os.path.basename(args.input).removesuffix(".gguf")
    source = Gguf(args.input)
    if not args.check:
        os.makedirs(args.folder, exist_ok=True)
        shards = distribute(source.tensors, args.max_size)
        for number, tensors in enumerate(shards):
            path = shard_path(args.folder, name, number, len(shards))
            write_shard(source, tensors, path, number, len(shards))
            print(f"{path}: {len(tensors)} tensors, {os.path.getsize(path)} bytes")
    check(source, args.folder, name)


if __name__ == "__main__":
    main()
