#!/usr/bin/env python3
"""Golden normal forms of the csebuetnlp models, from their `normalizer` package itself.

  csebuetnlp.py FOLDER tests/golden/tokenizer/lines.txt tests/golden/tokenizer/csebuetnlp.json

FOLDER is a checkout of github.com/csebuetnlp/normalizer; ftfy 6.0.3, emoji 1.4.2 and regex are needed. Besides the
lines, every accented Latin letter, every quotation mark and Bengali letters typed in parts are tried. Left out, and
counted, are lines where ftfy repairs mojibake or HTML entities, which anubad has done when it reads an article.
"""
import json, sys, unicodedata

sys.path.insert(0, sys.argv[1])
from normalizer import normalize
from normalizer.const import CHAR_REPLACEMENTS
from ftfy import fix_text

lines = open(sys.argv[2], encoding="utf-8", newline="\n").read().removesuffix("\n").split("\n")
letters = [chr(c) for c in CHAR_REPLACEMENTS]
lines += ["".join(letters[i:i + 40]) for i in range(0, len(letters), 40)]
lines += ["“ক” ‘খ’ „গ“ «ঘ» ‹ঙ› `চ´ ❝ছ❞ 〝জ〞 〈ঝ〉 《ঞ》 【ট】 「ঠ」",
          "ক\u09c7\u09d7 ক\u09c7\u09be ক\u09c7\u0981\u09be ক\u09c7\u0981\u09d7 \u09c7ক\u09d7 অ\u09be ব\u09bc য\u09bc ড\u09bc ঢ\u09bc",
          "শূন্য\u200bপ্রস্থ অ\u00adদৃশ্য জোড়\u2060া, ১২–১৫ — শেষ… টাকা ৷", "a\u00a0b  c\t d ，、∶：？！（；） １２３ ～ ━ ％", "র‍্যাব ক্‌ষ শেষ হল "]
kept = []
for line in lines:
    plain = fix_text(line, normalization="NFC", fix_encoding=False, unescape_html=False)
    if plain == fix_text(line, normalization="NFC"): kept.append(dict(source=line, normalized=normalize(line)))
json.dump(kept, open(sys.argv[3], "w", encoding="utf-8"), ensure_ascii=False, indent=0)
print(len(kept), "of", len(lines), "lines kept")
