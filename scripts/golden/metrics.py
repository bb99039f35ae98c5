"""Makes tests/golden/metrics/*.json with sacrebleu and rouge-score: python scripts/golden/metrics.py

Needs: pip install sacrebleu==2.6.0 rouge-score==0.1.2
Five small corpora and five files with the oddities that break reimplementations: empty lines, single tokens, Unicode
spaces and scripts, numbers and entities, repetition.
"""

import itertools
import json
import pathlib
import subprocess
import sys

import sacrebleu
from nltk.stem.porter import PorterStemmer
from rouge_score import rouge_scorer
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "metrics"

CORPORA = {
    "news": [
        ("The minister said the bridge will open in June.", "The bridge would be opened in June, the minister said."),
        ("Five people were killed and 12 injured in the accident.", "At least five people died and 12 others were injured in the accident."),
        ("She left Dhaka for London at 9:35 am.", "She left Dhaka for London at 9:35am."),
        ("The court granted bail to the accused.", "The High Court has granted anticipatory bail to the accused."),
        ("Exports rose by 2.18 per cent last year.", "Exports rose 2.18 percent in the last year."),
        ("It rained.", "There was heavy rain in the north-eastern districts."),
        ("Bangladesh beat India by 3-1 in the final of the tournament.", "Bangladesh beat India 3-1 in the final."),
    ],
    "empty": [
        ("", "A reference without a hypothesis."),
        ("A hypothesis without a reference.", ""),
        ("", ""),
        ("   ", "Only white space on the other side."),
        ("Both sides are here.", "Both sides are here."),
        ("Trailing spaces  \t ", "  Trailing spaces"),
    ],
    "short": [
        ("Yes", "Yes"),
        ("No", "Yes"),
        (".", "."),
        ("a", "b"),
        ("Dhaka", "Dhaka."),
        ("two words", "two words"),
        ("(hi)", "hi"),
        ("\"quoted\"", "“quoted”"),
    ],
    "unicode": [
        ("ঢাকায় আজ বৃষ্টি হয়েছে।", "আজ ঢাকায় বৃষ্টি হয়েছে।"),
        ("Café São Paulo — naïve façade…", "Cafe Sao Paulo - naïve façade ..."),
        ("non\u00a0breaking\u2003space\u200bzero", "non breaking space zero"),
        ("e\u0301 combining and \u00e9 precomposed", "\u00e9 combining and e\u0301 precomposed"),
        ("emoji 🙂🙂 here", "emoji 🙂 here"),
        ("İstanbul ΣΟΦΟΣ straße", "istanbul σοφος STRASSE"),
        ("unit\x1fseparator", "unit separator"),
        ("৳৫০০ মূল্যের বই", "৳৫০০ দামের বই"),
    ],
    "numbers_repeats": [
        ("Tk 1,23,456.78 was paid on 21/02/1952, i.e. $1.5bn.", "Tk 123,456.78 was paid on 21.02.1952 (US$1.5 bn)."),
        ("the the the the the the the", "the cat is on the mat"),
        ("no no no no no no no no no no no no", "no"),
        ("&quot;AT&amp;T&quot; &lt;b&gt; <skipped>5%", "\"AT&T\" <b> 5%"),
        ("1.1.1 2,2,2 3-3-3 4/4/4", "1.1.1 2,2,2 3-3-3 4/4/4"),
        ("A line ends in 1. and .5 starts, 1,", "A line ends in 1 . and .5 starts, 1 ,"),
        ("Policies, relational organizations; dying skies and newly enjoyed falling ponies.", "Policy relations: the organized sky died. New joy, fallen pony."),
    ],
}

# Whole files as bytes, read by sacrebleu's own command line: what counts as a line, what is stripped. (hypothesis, reference)
FILES = {
    "blank": (
        "The train left at nine.\n\n   \nThe bridge over the Padma is open to traffic.\n\nHe said nothing.\n\n",
        "The train left Dhaka at nine.\nNothing stands opposite.\nOnly white space.\nThe bridge over the Padma has been opened to traffic.\n\nHe did not say anything.\n\n",
    ),
    "spaces": (
        "Trailing spaces are here.   \n\tA tab leads and\tone parts these words.\nTwo  spaces   and\u00a0one that does not break.\nZero\u200bwidth and thin\u2009space.\nno final newline",
        "Trailing spaces are here.\nA tab leads, and one parts these words.\t\nTwo spaces and one that does not break. \nZero width and thin space.\nno final newline",
    ),
    "crlf": (
        "The court rejected the plea on Monday.\r\nPrices rose 5.5 per cent, to Tk 1,200.\r\nA return \r inside the line.\r\nA separator\u2028 and a next line\u0085 mark.\r\nForm\x0cfeed and vertical\x0btab.\r\n",
        "The court on Monday rejected the plea.\r\nPrices rose by 5.5 percent to Tk 1,200.\r\nA return inside the line.\r\nA separator and a next line mark.\r\nForm feed and vertical tab.\r\n",
    ),
    "unicode": (
        "Cafe\u0301 owners in Sa\u0303o Paulo protested.\nWell done 👩‍👩‍👧 👍🏽!\nÅngström (A\u030angstro\u0308m) is a unit.\nفي القاهرة 5 أشخاص\nＦull width １２３ and ﬁne ligatures.\n“Quotes” — and ‘more’…\n",
        "Café owners in São Paulo protested today.\nWell done 👩‍👩‍👧 👍🏾 !\nÅngström (Ångström) is a unit.\nفي القاهرة ٥ أشخاص\nFull width 123 and fine ligatures.\n\"Quotes\" - and 'more' ...\n",
    ),
    "bengali": (
        "The meeting will be held in ঢাকা on Sunday।\nতিনি বলেন, বৃষ্টি হবে।\nপড়া বাড়ি হয়\nMinister ড. হাছান মাহমুদ said ১২ লাখ টাকা was paid.\nর‍্যাব arrested ৭২৮ people.\n",
        "The meeting will be held in Dhaka on Sunday.\nতিনি বললেন, বৃষ্টি হবে ।\nপ\u09a1\u09bcা বা\u09a1\u09bcি হ\u09af\u09bc\nMinister Dr Hasan Mahmud said Tk 12 lakh was paid.\nRAB arrested 728 people.\n",
    ),
}

SUMMARIES = [
    ("The cat sat on the mat.\nThe dog barked at the mailman.\nIt rained all day.", "It rained.\nThe dog, on the mat, barked.\nThe cat sat."),
    ("police killed the gunman", "the gunman police killed"),
    ("w1 w2 w3 w4 w5", "w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"),
    ("one line\n\nanother line\n", "another line one line"),
    ("Repeated repeated repeated words words.\nwords", "words\nrepeated words"),
    ("", "something"),
    ("Only ৫ Bengali শব্দ here", "bengali here"),
    ("a b a b a b\nb a b a", "b b b a a\na b"),
]


def prf(score):
    return [score.precision, score.recall, score.fmeasure]


def corpus(name, pairs):
    hyps, refs = [h for h, _ in pairs], [r for _, r in pairs]
    out = {"hypotheses": hyps, "references": refs, "corpus": [], "sentences": []}
    metrics = [
        ("bleu", BLEU()),
        ("bleu_lc", BLEU(lowercase=True)),
        ("bleu_floor", BLEU(smooth_method="floor")),
        ("bleu_addk", BLEU(smooth_method="add-k")),
        ("bleu_none", BLEU(smooth_method="none")),
        ("bleu_effective", BLEU(effective_order=True)),
        ("chrf", CHRF()),
        ("chrf_lc", CHRF(lowercase=True)),
        ("chrf++", CHRF(word_order=2)),
    ]
    for key, metric in metrics:
        score = metric.corpus_score(hyps, [refs]).score
        out["corpus"].append({"metric": key, "score": score, "signature": str(metric.get_signature())})
    multi = [refs, list(reversed(refs))]
    for key, metric in (("bleu", BLEU()), ("chrf++", CHRF(word_order=2))):
        score = metric.corpus_score(hyps, multi).score
        out["corpus"].append({"metric": key + "_two_references", "score": score, "signature": str(metric.get_signature())})
    bleu, chrf, chrfpp = BLEU(effective_order=True), CHRF(), CHRF(word_order=2)
    plain = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    stem = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    for h, r in pairs:
        out["sentences"].append({
            "bleu_effective": bleu.sentence_score(h, [r]).score,
            "chrf": chrf.sentence_score(h, [r]).score,
            "chrf++": chrfpp.sentence_score(h, [r]).score,
            "rouge": {k: prf(v) for k, v in plain.score(r, h).items()},
            "rouge_stemmed": {k: prf(v) for k, v in stem.score(r, h).items()},
        })
    return out


def summaries():
    plain = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])
    stem = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"], use_stemmer=True)
    return [
        {"target": t, "prediction": p, "rouge": {k: prf(v) for k, v in plain.score(t, p).items()},
         "rouge_stemmed": {k: prf(v) for k, v in stem.score(t, p).items()}}
        for t, p in SUMMARIES
    ]


def stems():
    roots = "relat hop fall ti po geo archaeo control adopt electr feud sens y sky try b agr plast conflat siz fil enjo happ gener oper".split()
    suffixes = ["", "s", "es", "ies", "ied", "ed", "eed", "ing", "ing", "y", "ly", "ally", "ational", "tional", "ence", "ency",
                "ancy", "izer", "ably", "ibly", "ently", "ely", "ously", "ization", "ation", "ator", "alism", "iveness", "fulness",
                "ousness", "ality", "ivity", "bility", "fully", "logy", "icate", "ative", "alize", "icity", "ical", "ful", "ness",
                "al", "ance", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "sion", "tion", "ou", "ism", "ate",
                "ity", "ous", "ive", "ize", "e", "ll", "ling", "tting", "yyy"]
    words = sorted({r + s for r, s in itertools.product(roots, suffixes)}
                   | set("skies dying lying tying news innings outing cannings howe proceed exceed succeed dies died spied flies feed bled sing".split()))
    stemmer = PorterStemmer()
    return [[w, stemmer.stem(w)] for w in words]


def paired():
    """Two systems over 60 sentences; p-values and intervals for three measures."""
    base = [(h, r) for pairs in CORPORA.values() for h, r in pairs if r.strip()]
    refs = [base[i % len(base)][1] for i in range(60)]
    one = [base[i % len(base)][0] for i in range(60)]
    two = [r if i % 3 == 0 else base[(i * 7) % len(base)][0] if i % 3 == 1 else base[i % len(base)][0] for i, r in enumerate(refs)]
    metrics = {"bleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2)}
    test = PairedTest([("one", one), ("two", two)], metrics, [refs], test_type="bs", n_samples=1000)
    _, results = test()
    results = {k: v for k, v in results.items() if k != "System"}
    return {
        "references": refs, "baseline": one, "system": two,
        "results": {k: {"scores": [x.score for x in v], "means": [x.mean for x in v], "intervals": [x.ci for x in v], "p": v[1].p_value}
                    for k, v in results.items()},
    }


def file_scores():
    """Writes the files and what sacrebleu's command line says of them."""
    folder = OUT / "files"
    folder.mkdir(exist_ok=True)
    expected = {}
    for name, sides in FILES.items():
        hyp, ref = folder / f"{name}.hyp", folder / f"{name}.ref"
        for path, text in zip((hyp, ref), sides):
            path.write_bytes(text.encode())
        command = [sys.executable, "-m", "sacrebleu", str(ref), "-i", str(hyp), "-f", "json", "-w", "6"]
        runs = [["-m", "bleu", "chrf"], ["-m", "chrf", "--chrf-word-order", "2"], ["-lc", "-m", "bleu"]]
        expected[name] = []
        for run in runs:
            out = json.loads(subprocess.run(command + run, check=True, capture_output=True, text=True).stdout)
            for score in out if isinstance(out, list) else [out]:
                kept = {"name": score["name"], "score": score["score"], "signature": score["signature"], "details": score.get("verbose_score", "")}
                expected[name].append({"lowercase": "-lc" in run, **kept})
    return expected


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    print("sacrebleu", sacrebleu.__version__)
    files = {name: corpus(name, pairs) for name, pairs in CORPORA.items()}
    files["summaries"], files["stems"], files["paired"] = summaries(), stems(), paired()
    files["files"] = file_scores()
    for name, data in files.items():
        (OUT / f"{name}.json").write_text(json.dumps(data, ensure_ascii=True, default=float) + "\n")


if __name__ == "__main__":
    main()
