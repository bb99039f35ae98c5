#!/usr/bin/env python3
"""Writes wheels from files that are there already. scripts/package calls it.

    wheels.py weights OUT                          the built-in model's weights, a wheel for each of the two files
    wheels.py program OUT PROGRAM GLIBC SHARE      the program without weights; it asks for the two above

A wheel for the Python package index may have 100 MB, which the weights together have not. They go to
share/anubad/models below the environment, beside its bin, where the program looks for them.
"""
import base64, hashlib, os, pathlib, platform, re, sys, time, zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "models" / "anubad-270m-bn-en"
INSIDE = "share/anubad/models/anubad-270m-bn-en"
LIMIT = 100_000_000
WHEN = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "315532800")), 315532800))[:6]


def field(name):
    return re.search(rf'^{name} = "(.*)"$', (ROOT / "Cargo.toml").read_text(), re.M)[1]


def weights_version():
    """The model's own version, so that a new program does not bring the same weights again."""
    found = re.search(r"version (\d+)", (ROOT / "models" / "anubad-270m-bn-en.toml").read_text())
    return f"{found[1]}.0"


def metadata(name, version, summary, license, requires=(), readme=""):
    lines = [
        "Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", f"Summary: {summary}",
        f"License-Expression: {license}", f"Project-URL: Source, {field('repository')}",
        "Requires-Python: >=3.9", *(f"Requires-Dist: {item}" for item in requires),
    ]
    if readme:
        lines.append("Description-Content-Type: text/markdown")
    return "\n".join(lines) + "\n\n" + readme


class Wheel:
    def __init__(self, out, name, version, tag):
        self.stem = f"{name.replace('-', '_')}-{version}"
        self.path = pathlib.Path(out) / f"{self.stem}-{tag}.whl"
        self.zip = zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.tag, self.record = tag, []

    def add(self, inside, data, mode=0o644):
        info = zipfile.ZipInfo(inside, WHEN)
        info.external_attr = (0o100000 | mode) << 16
        # Quantized weights do not shrink.
        info.compress_type = zipfile.ZIP_STORED if inside.endswith(".gguf") else zipfile.ZIP_DEFLATED
        self.zip.writestr(info, data)
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        self.record.append(f"{inside},sha256={digest},{len(data)}")

    def data(self, kind, inside, data, mode=0o644):
        self.add(f"{self.stem}.data/{kind}/{inside}", data, mode)

    def finish(self, text, licenses):
        info = f"{self.stem}.dist-info"
        files = [f"License-File: {path.name}" for path in licenses]
        head, _, body = text.partition("\n\n")
        for path in licenses:
            self.add(f"{info}/licenses/{path.name}", path.read_bytes())
        self.add(f"{info}/METADATA", ("\n".join([head, *files]) + "\n\n" + body).encode())
        pure = "true" if self.tag.endswith("any") else "false"
        self.add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: anubad\nRoot-Is-Purelib: {pure}\nTag: {self.tag}\n".encode())
        self.record.append(f"{info}/RECORD,,")
        self.zip.writestr(zipfile.ZipInfo(f"{info}/RECORD", WHEN), "\n".join(self.record) + "\n")
        self.zip.close()
        size = self.path.stat().st_size
        if size > LIMIT:
            sys.exit(f"{self.path.name}: {size} bytes are more than the {LIMIT} that an index takes")


def weights(out):
    version = weights_version()
    shards = sorted(MODEL.glob("*-of-*.gguf"))
    # What the model has learned besides is small and goes with the last one.
    companions = sorted(set(MODEL.glob("*.gguf")) - set(shards))
    for number, shard in enumerate(shards, 1):
        wheel = Wheel(out, f"anubad-weights-{number}", version, "py3-none-any")
        for file in [shard, *(companions if shard == shards[-1] else [])]:
            wheel.data("data", f"{INSIDE}/{file.name}", file.read_bytes())
        summary = f"Weights of anubad's built-in model, part {number} of {len(shards)}"
        notices = [MODEL / "NOTICE", MODEL / "GEMMA_TERMS_OF_USE.md"]
        wheel.finish(metadata(f"anubad-weights-{number}", version, summary, "LicenseRef-Gemma"), notices)


def program(out, binary, glibc, share):
    version = field("version")
    tag = f"py3-none-manylinux_{glibc.replace('.', '_')}_{platform.machine()}"
    wheel = Wheel(out, "anubad", version, tag)
    wheel.data("scripts", "anubad", pathlib.Path(binary).read_bytes(), 0o755)
    share = pathlib.Path(share)
    for file in sorted(path for path in share.rglob("*") if path.is_file()):
        inside = file.relative_to(share).as_posix()
        if not inside.startswith("doc/") or "third-party" in inside:
            wheel.data("data", f"share/{inside}", file.read_bytes())
    requires = [f"anubad-weights-{number}=={weights_version()}" for number in (1, 2)]
    readme = (ROOT / "README.md").read_text()
    wheel.finish(
        metadata("anubad", version, field("description"), field("license"), requires, readme),
        [ROOT / "LICENSE-MIT", ROOT / "LICENSE-APACHE"],
    )


if __name__ == "__main__":
    {"weights": weights, "program": program}[sys.argv[1]](*sys.argv[2:])
