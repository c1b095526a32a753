#!/usr/bin/env python3
"""tidescope on Apache Spark: the report of one machine, made by many.

usage: spark-submit job.py --bin /opt/tidescope --output OUT [options] PATH...

Stages: `tidescope plan` (driver), `scan --split` of every split (executors), `implicated` (driver), the context of what is implicated
(executors; again while it adds ids, three times at most), counts by Spark SQL, `tidescope report` (driver).

Executors run the binary as it is and read its Arrow stream. Tasks write nothing but rows, so that Spark may repeat them, run them twice, or
lose them; rows go through Spark's own committer into OUT/rows, and the report into OUT/report. See README.md beside this file.
"""
import argparse
import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

import pyarrow as pa
from pyspark.sql import SparkSession
from pyspark.sql import functions as f

# Spark has no unsigned numbers. Ids and TSOs are below 2^63, but a log may say anything.
WHOLE = pa.decimal128(20, 0)
SPARK_TYPES = {pa.uint64(): "decimal(20,0)", pa.int32(): "int", pa.bool_(): "boolean", pa.string(): "string"}


def spark_type(kind):
    """The type of Spark that a column of the binary's becomes."""
    if pa.types.is_timestamp(kind):
        return "timestamp"
    if pa.types.is_list(kind):
        return f"array<{spark_type(kind.value_type)}>"
    return SPARK_TYPES[kind]


def signed(kind):
    """The same type without unsigned numbers, and with the moments that Spark has."""
    if kind == pa.uint64():
        return WHOLE
    if pa.types.is_list(kind):
        return pa.list_(signed(kind.value_type))
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
    return kind


def schema_of(binary):
    """The columns of rows, asked from the binary itself."""
    with tempfile.NamedTemporaryFile(suffix=".log") as empty:
        done = subprocess.run([binary, "scan", "-q", "--split", f"{empty.name}:0-0", "--format", "arrow"], capture_output=True, check=True)
    return pa.ipc.open_stream(done.stdout).schema


def die_with_parent():
    """In the child: when the worker is killed, so is the scan. Linux only; elsewhere the closed pipe ends it."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass


def scan(binary, split, context, options, used):
    """Record batches of one split. Fails with what the binary says. `used` adds up CPU seconds."""
    words = [binary, "scan", "-q", "--format", "arrow", "--threads", "1", "--context", context, "--split",
             f"{split['path']}:{split['start']}-{split['end']}", *options]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=die_with_parent)
    said = []
    listener = threading.Thread(target=lambda: said.append(child.stderr.read()), daemon=True)
    listener.start()
    try:
        with pa.ipc.open_stream(child.stdout) as stream:
            target = pa.schema([(field.name, signed(field.type)) for field in stream.schema])
            for batch in stream:
                yield pa.RecordBatch.from_arrays([column.cast(field.type) for column, field in zip(batch.columns, target)], schema=target)
        child.stdout.close()
        _, status, usage = os.wait4(child.pid, 0)
        status = child.returncode = os.waitstatus_to_exitcode(status)
        used.add(usage.ru_utime + usage.ru_stime)
        listener.join()
        # 3: some of it could not be read; a row says so, and so will the report.
        if status not in (0, 3):
            raise RuntimeError(f"{' '.join(words)}: exit status {status}: {b''.join(said).decode(errors='replace')[-2000:]}")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def scanner(binary, options, context, used):
    """The function that executors map over batches of splits; `context` is a broadcast of `implicated`'s JSON, or None; `used` an
    accumulator of CPU seconds."""

    def run(batches):
        with tempfile.TemporaryDirectory(prefix="tidescope-") as folder:
            wanted = "none"
            if context is not None:
                wanted = os.path.join(folder, "implicated.json")
                pathlib.Path(wanted).write_bytes(context.value)
            for batch in batches:
                for split in batch.to_pylist():
                    yield from scan(binary, split, wanted, options, used)

    return run


def packed(splits, tasks):
    """Splits in tasks of about one size: the largest first, each into the task that has least."""
    bins = [[0, []] for _ in range(max(1, min(tasks, len(splits))))]
    for split in sorted(splits, key=lambda split: (-split["bytes"], split["path"], split["start"])):
        least = min(bins, key=lambda bin: bin[0])
        least[0] += split["bytes"] + (1 << 20)  # A process costs about as much as a mebibyte.
        least[1].append(split)
    return [bin[1] for bin in bins]


def url(path):
    """A local path for Spark, which takes what stands in a URL as it is."""
    return f"file://{path.absolute()}"


def tidescope(args, *words):
    """Runs the binary on the driver."""
    done = subprocess.run([args.bin, *map(str, words)], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"tidescope {words[0]}: exit status {done.returncode}: {done.stderr}")
    sys.stderr.write(done.stderr)
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, globs that driver and executors see under the same name")
    parser.add_argument("--bin", default="tidescope", help="the binary, at the same place everywhere (or ship it with --files)")
    parser.add_argument("--output", required=True, type=pathlib.Path, help="folder for rows, counts and the report, seen by all")
    parser.add_argument("--target-size", default="256MiB", help="size of a split")
    parser.add_argument("--tasks", type=int, help="tasks of a stage; default: one a split")
    parser.add_argument("--scan-option", action="append", default=[], metavar="WORD", help="handed to every scan, such as --since=-2h; needs a fixed --now then")
    parser.add_argument("--report-option", action="append", default=[], metavar="WORD", help="handed to the report, such as --format=parquet,sqlite")
    args = parser.parse_args()

    spark = (SparkSession.builder.appName("tidescope")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
             .config("spark.sql.parquet.compression.codec", "zstd")
             .config("spark.sql.execution.arrow.maxRecordsPerBatch", "1")
             .getOrCreate())
    context = spark.sparkContext

    splits = [json.loads(line) for line in tidescope(args, "plan", *args.paths, "--target-size", args.target_size).stdout.splitlines()]
    tasks = packed(splits, args.tasks or len(splits))
    print(f"tidescope: {len(splits)} splits in {len(tasks)} tasks, {sum(split['bytes'] for split in splits)} bytes", flush=True)
    schema = ", ".join(f"`{field.name}` {spark_type(field.type)}" for field in schema_of(args.bin))
    # One partition a task, each with its splits.
    planned = context.parallelize(tasks, len(tasks)).flatMap(lambda task: [(split["path"], split["start"], split["end"]) for split in task])
    planned = spark.createDataFrame(planned, "path string, start long, end long")

    used = context.accumulator(0.0)
    rows = args.output / "rows"
    shutil.rmtree(rows, ignore_errors=True)

    def scanned(number, implicated):
        found = planned.mapInArrow(scanner(args.bin, args.scan_option, implicated, used), schema)
        found.write.mode("overwrite").parquet(url(rows / f"pass={number}"))

    scanned(0, None)
    known = None
    for number in range(1, 4):
        ids = tidescope(args, "implicated", rows).stdout.encode()
        if ids == known:
            break
        known = ids
        scanned(number, context.broadcast(ids))

    events = spark.read.parquet(*(url(path) for path in sorted(rows.glob("pass=*")))).where("row = 'event'")
    counts = events.groupBy("rule", "severity", "store", "region").agg(f.count("*").alias("events"), f.min("time").alias("first"), f.max("time").alias("last"))
    counts.coalesce(1).write.mode("overwrite").parquet(url(args.output / "counts"))
    status = tidescope(args, "report", rows, "-o", args.output / "report", *args.report_option)
    # All children of this process that have ended: Spark's own is still there.
    driver = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"tidescope: the scans took {used.value:.2f} CPU s, the driver's part {driver.ru_utime + driver.ru_stime:.2f} CPU s", flush=True)
    sys.stdout.write(status.stdout)
    spark.stop()
    return status.returncode


if __name__ == "__main__":
    sys.exit(main())
