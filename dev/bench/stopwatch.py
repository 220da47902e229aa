"""Measures time, queries and memory of things done inside Odoo. This module and ``jobs_*`` run there."""

import dataclasses
import gc
import importlib
import json
import pathlib
import resource
import statistics
import time
from collections.abc import Callable

from .table import figure

# Quick things are repeated until they took this many seconds together; what is slow runs once.
LEAST_RUNS, MOST_RUNS = 3, 25
ENOUGH_SECONDS, SLOW_SECONDS = 1.5, 20


def do(env, module, parameters, output):
    """Do a job and write its figures to a file, those measured before a failure included.

    :param env: Odoo's environment
    :param str module: the job's module, with a function ``measure(env, stopwatch, **parameters)``
    :param dict parameters: of that function
    :param str output: the file's path
    """
    stopwatch = Stopwatch()
    try:
        importlib.import_module(f"dev.bench.{module}").measure(env, stopwatch, **parameters)
    finally:
        pathlib.Path(output).write_text(json.dumps(stopwatch.figures))


@dataclasses.dataclass
class Task:
    """Something to measure.

    :param str work: its name in the table
    :param env: the environment in which it works; its transaction is rolled back afterwards
    :param run: what is measured
    :param prepare: what is done before, unmeasured, in the same transaction
    :param float budget: the most seconds that it may take
    :param bool is_constant: whether its time must not depend on the size of the ledger
    """

    work: str
    env: object
    run: Callable
    prepare: Callable = lambda: None
    budget: float | None = None
    is_constant: bool = False


@dataclasses.dataclass
class Sample:
    """One run of a task."""

    seconds: float
    queries: int
    peak_mb: float


class Stopwatch:
    """Collects the figures of a job."""

    def __init__(self):
        self.figures = []

    def measure(self, *tasks):
        """Measure tasks in turns, after one run each to warm up.

        :return: the samples of each task, those of a round at the same position
        :rtype: list
        """
        samples = [[_run(task)] for task in tasks]
        if sum(runs[0].seconds for runs in samples) < SLOW_SECONDS:
            for runs in samples:
                runs.clear()
            while not _is_enough(samples):
                for task, runs in zip(tasks, samples, strict=True):
                    runs.append(_run(task))
        for task, runs in zip(tasks, samples, strict=True):
            self.figures.append(
                figure(
                    task.work,
                    statistics.median(sample.seconds for sample in runs),
                    queries=round(statistics.median(sample.queries for sample in runs)),
                    peak_mb=max(sample.peak_mb for sample in runs),
                    runs=len(runs),
                    budget=task.budget,
                    is_constant=task.is_constant,
                )
            )
        return samples

    def compare(self, work, samples, others, budget=None):
        """Note how much longer one task takes than another that was measured in turns with it."""
        ratio = statistics.median(sample.seconds / other.seconds for sample, other in zip(samples, others, strict=True))
        self.figures.append(figure(work, ratio, unit="×", runs=len(samples), budget=budget))


def _is_enough(samples):
    rounds = len(samples[0])
    spent = sum(sample.seconds for runs in samples for sample in runs)
    return rounds >= LEAST_RUNS and (rounds >= MOST_RUNS or spent >= ENOUGH_SECONDS * len(samples))


def _run(task):
    cr = task.env.cr
    task.prepare()
    task.env.flush_all()
    task.env.invalidate_all()
    gc.collect()
    _forget_peak()
    queries, started = cr.sql_log_count, time.perf_counter()
    task.run()
    cr.flush()
    seconds = time.perf_counter() - started
    queries = cr.sql_log_count - queries
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    cr.rollback()
    return Sample(seconds, queries, peak_mb)


def _forget_peak():
    """Have the kernel measure the peak of memory anew, where it can; elsewhere it is that of the process."""
    try:
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return
