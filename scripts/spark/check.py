#!/usr/bin/env python3
"""Tries translate.py in local-cluster mode: two executors, one of whose processes dies once in the middle.

    check.py path/to/anubad [options of anubad bulk …]

Compares the Parquet files with what `anubad bulk` alone makes of the same articles. Needs pyspark and Java 17.
"""
import json
import os
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = [
    "রাজধানীর মিরপুরে আজ মঙ্গলবার সকালে একটি বাসে আগুন লাগে।",
    "আবহাওয়া অধিদপ্তর জানিয়েছে, আগামী তিন দিন বৃষ্টি হতে পারে।",
    "বাজারে পেঁয়াজের দাম কেজিতে ১০ টাকা বেড়েছে।",
]


def main():
    program, options = os.path.abspath(sys.argv[1]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        articles = os.path.join(folder, "articles.jsonl")
        with open(articles, "w") as out:
            for i in range(12):
                body = "" if i == 7 else " ".join(SENTENCES[i % 3 :] + SENTENCES[: i % 3])
                out.write(json.dumps({"id": f"a{i}", "title": f"খবর {i}", "body": body}, ensure_ascii=False) + "\n")

        # Dies once, after the first lines, the first time that any executor runs it.
        flaky = os.path.join(folder, "flaky")
        with open(flaky, "w") as out:
            out.write(
                f'#!/bin/sh\nif mkdir "{folder}/died" 2>/dev/null; then\n'
                f'  head -n 1 | "{program}" "$@"; echo "dying as the check wishes" >&2; exit 9\nfi\n'
                f'exec "{program}" "$@"\n'
            )
        os.chmod(flaky, os.stat(flaky).st_mode | stat.S_IXUSR)

        result = os.path.join(folder, "out.parquet")
        command = [sys.executable, os.path.join(HERE, "translate.py"), articles, result, "--anubad", flaky]
        command += ["--master", "local-cluster[2,1,1024]", "--partitions", "4", "--", *options]
        code = subprocess.run(command).returncode
        assert code == 3, f"exit code {code}: one article has no text"
        assert os.path.isdir(os.path.join(folder, "died")), "no process died, so nothing was retried"

        alone = subprocess.run(
            [program, "bulk", articles, "-o", "-", "--quiet", *options], stdout=subprocess.PIPE, check=False
        )
        assert alone.returncode == 3, alone.returncode
        want = [json.loads(line) for line in alone.stdout.splitlines()]
        # An error has no id, but its number; the order is kept.
        want = {f"a{r['n'] - 1}": (r.get("title"), r.get("text"), r.get("summary"), "error" in r) for r in want}

        from pyspark.sql import SparkSession

        spark = SparkSession.builder.master("local[1]").getOrCreate()
        rows = spark.read.parquet(result).collect()
        spark.stop()
        got = {r["id"]: (r["title"], r["text"], r["summary"], r["error"] is not None) for r in rows}
        assert len(rows) == 12 and got == want, (got, want)
        assert len({r["partition"] for r in rows}) > 1
        print(f"{len(rows)} articles from {len({r['partition'] for r in rows})} partitions, as without Spark")


if __name__ == "__main__":
    main()
