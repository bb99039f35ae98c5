#!/usr/bin/env python3
"""Translate a partitioned dataset with Apache Spark and `anubad bulk`.

Each partition is handed to one `anubad bulk` process: JSONL into its standard input, JSONL out of its standard output.
What this relies on is the process contract of `anubad bulk - -o -`:

* one line out for each line in, in the same order;
* a record that could not be translated is a line with the key `error`, in its place;
* exit code 0 (all well) or 3 (some lines are errors); anything else means that the partition is not done.

A process that fails any of this fails its task, and Spark runs the task again, on another executor if need be.

    pip install pyspark
    translate.py articles.jsonl out.parquet --master 'local-cluster[2,1,2048]' -- --beam 1
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading

from pyspark.sql import Row, SparkSession
from pyspark.sql.types import LongType, StringType, StructField, StructType

SCHEMA = StructType(
    [
        StructField("id", StringType()),
        StructField("url", StringType()),
        StructField("date", StringType()),
        StructField("title", StringType()),
        StructField("text", StringType()),
        StructField("summary", StringType()),
        StructField("findings", StringType()),
        StructField("model", StringType()),
        StructField("error", StringType()),
        StructField("partition", LongType()),
    ]
)


def translate_partition(command, index, rows):
    """Runs one process over the rows of a partition and yields one row for each."""
    rows = [row.asDict(recursive=True) for row in rows]
    if not rows:
        return
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)

        def feed():
            try:
                for row in rows:
                    line = json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False, default=str)
                    process.stdin.write(line.encode() + b"\n")
                process.stdin.close()
            except OSError:
                pass  # the process is gone; its exit code says why

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        done = 0
        try:
            for line in process.stdout:
                record = json.loads(line)
                source = rows[done]
                done += 1
                yield Row(
                    id=record.get("id") or (str(source["id"]) if source.get("id") is not None else None),
                    url=record.get("url"),
                    date=record.get("date"),
                    title=record.get("title"),
                    text=record.get("text"),
                    summary=record.get("summary"),
                    findings=json.dumps(record.get("findings", []), ensure_ascii=False),
                    model=json.dumps(record.get("model")) if "model" in record else None,
                    error=record.get("error"),
                    partition=index,
                )
            code = process.wait()
        finally:
            process.kill()
            process.wait()
        errors.seek(0, os.SEEK_END)
        errors.seek(max(0, errors.tell() - 2000))
        said = errors.read().decode(errors="replace").strip()
        if code not in (0, 3):
            raise RuntimeError(f"{command[0]} ended with exit code {code}: {said}")
        if done != len(rows):
            raise RuntimeError(f"{command[0]} gave {done} records for {len(rows)}: {said}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", help="JSONL or Parquet with the columns title and body (or other names, see --fields)")
    parser.add_argument("output", help="folder of Parquet files")
    parser.add_argument("--anubad", default="anubad", help="the program")
    parser.add_argument("--master", default=None, help="Spark master; default: what spark-submit says")
    parser.add_argument("--partitions", type=int, default=None, help="number of processes in all")
    parser.epilog = "What stands behind -- is given to anubad bulk."
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    args, bulk = parser.parse_args(sys.argv[1:split]), sys.argv[split + 1 :]

    builder = SparkSession.builder.appName("anubad")
    if args.master:
        builder = builder.master(args.master)
    # One process an executor core, and one core an executor: the process uses the machine's cores itself.
    spark = builder.config("spark.task.maxFailures", "4").getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    reader = spark.read.parquet if args.input.rstrip("/").endswith(".parquet") else spark.read.json
    articles = reader(args.input)
    if args.partitions:
        articles = articles.repartition(args.partitions)
    command = [args.anubad, "bulk", "-", "-o", "-", "--input-format", "jsonl", "--quiet", *bulk]
    translated = articles.rdd.mapPartitionsWithIndex(lambda index, rows: translate_partition(command, index, rows))
    spark.createDataFrame(translated, SCHEMA).write.mode("overwrite").parquet(args.output)
    result = spark.read.parquet(args.output)
    total, failed = result.count(), result.filter("error is not null").count()
    print(f"{total} articles, {failed} of them errors, in {args.output}")
    spark.stop()
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
