#!/usr/bin/env python3
"""Prints what a build of the program for a target consists of, as CycloneDX 1.6 (JSON). scripts/package calls it.

    bill-of-materials.py TARGET

The crates are those that end up in the program with its default features: neither those of tests nor those that only run
while it is built.
"""
import datetime, hashlib, json, os, pathlib, re, subprocess, sys, tomllib, uuid

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
MODEL = ROOT / "models" / "anubad-270m-bn-en"


def main(target):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    meta = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
    packages = {package["id"]: package for package in meta["packages"]}
    nodes = {node["id"]: node for node in meta["resolve"]["nodes"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())
    sums = {(p["name"], p["version"]): p["checksum"] for p in lock["package"] if "checksum" in p}
    own = next(i for i in meta["workspace_members"] if packages[i]["name"] == "anubad")

    def macro(package):
        return any("proc-macro" in target["kind"] for target in package["targets"])

    def needs(ident):
        linked = [d for d in nodes[ident]["deps"] if any(kind["kind"] is None for kind in d["dep_kinds"])]
        return sorted(d["pkg"] for d in linked if not macro(packages[d["pkg"]]))

    seen, ahead = set(), [own]
    while ahead:
        ident = ahead.pop()
        if ident not in seen:
            seen.add(ident)
            ahead.extend(needs(ident))

    def purl(ident):
        return f"pkg:cargo/{packages[ident]['name']}@{packages[ident]['version']}"

    def component(ident):
        package = packages[ident]
        entry = {"type": "library", "bom-ref": purl(ident), "name": package["name"], "version": package["version"], "purl": purl(ident)}
        if package["license"]:
            # An older way to write OR.
            entry["licenses"] = [{"expression": re.sub(r"\s*/\s*", " OR ", package["license"])}]
        if checksum := sums.get((package["name"], package["version"])):
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            entry["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return entry

    version = re.search(r"version (\d+)", (ROOT / "models" / "anubad-270m-bn-en.toml").read_text())[1]
    weights = [
        {
            "type": "machine-learning-model", "bom-ref": f"file:{shard.name}", "name": shard.name,
            "version": version, "licenses": [{"license": {"name": "Gemma Terms of Use", "url": "https://ai.google.dev/gemma/terms"}}],
            "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(shard.read_bytes()).hexdigest()}],
        }
        for shard in sorted(MODEL.glob("*.gguf"))
    ]
    when = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    program = component(own) | {"type": "application"}
    linked = sorted(seen, key=purl)
    depends = [{"ref": purl(i), "dependsOn": sorted({purl(n) for n in needs(i)})} for i in linked]
    depends[linked.index(own)]["dependsOn"] += [w["bom-ref"] for w in weights]
    depends += [{"ref": w["bom-ref"]} for w in weights]
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "timestamp": when.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": program,
            "properties": [{"name": "anubad:target", "value": target}],
        },
        "components": [component(i) for i in linked if i != own] + weights,
        "dependencies": depends,
    }
    # The same contents have the same number.
    bill["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))}"
    print(json.dumps(bill, indent=1))


main(*sys.argv[1:])
