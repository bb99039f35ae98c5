#!/usr/bin/env python3
"""Golden preparation of sentences for IndicTrans2, from IndicTransToolkit itself (pip install IndicTransToolkit).

  indictrans2.py tests/golden/tokenizer/lines.txt tests/golden/tokenizer/indictrans2.json

Only sentences whose result is well defined are kept: the toolkit numbers several matches of one kind in the order of
a Python set, which changes from run to run, and replaces every occurrence of a match, also inside longer numbers.
So the lines are prepared under several hash seeds, and those that change are left out and counted.
"""
import json, os, subprocess, sys

if len(sys.argv) == 2:
    import importlib.util, types
    package = types.ModuleType("IndicTransToolkit")  # its __init__ asks for a transformers older than 5
    package.__path__ = list(importlib.util.find_spec("IndicTransToolkit").submodule_search_locations)
    sys.modules["IndicTransToolkit"] = package
    from IndicTransToolkit.processor import IndicProcessor
    lines = open(sys.argv[1], encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
    prefix = "ben_Beng eng_Latn "
    json.dump([s.removeprefix(prefix) for s in IndicProcessor(inference=True).preprocess_batch(lines, src_lang="ben_Beng", tgt_lang="eng_Latn")], sys.stdout)
else:
    lines = open(sys.argv[1], encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
    runs = [json.loads(subprocess.run([sys.executable, __file__, sys.argv[1]], env=dict(os.environ, PYTHONHASHSEED=str(seed)), stdout=subprocess.PIPE, check=True).stdout) for seed in range(4)]
    kept = [dict(source=line, prepared=outs[0]) for line, *outs in zip(lines, *runs) if len(set(outs)) == 1]
    json.dump(kept, open(sys.argv[2], "w", encoding="utf-8"), ensure_ascii=False, indent=0)
    print(len(kept), "of", len(lines), "lines are the same in every run")
