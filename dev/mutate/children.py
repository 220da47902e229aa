"""Work in forked processes: each begins with what its parent has loaded, and can't spoil it."""

import contextlib
import json
import math
import os
import resource
import select
import signal
import time

TIMEOUT, DIED = "timeout", "died"


class Child:
    """A process that works on one job.

    :param job: what it works on
    :param work: called in the process with the job; what it returns must go into JSON
    :param float limit: seconds of work after which it is killed; how busy the machine is does not count
    """

    def __init__(self, job, work, limit):
        self.job = job
        self.limit = math.ceil(limit)
        self.parts = []
        self.started = time.monotonic()
        # Whoever waits for a lock does not work.
        self.ends_at = self.started + 60 + 20 * limit
        self.reader, writer = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            self._work(work, writer)
        os.close(writer)

    def _work(self, work, writer):
        """Never returns: whatever happens, the copy of the parent must not go on as if it were the parent."""
        try:
            # A group of its own, so that what it starts ends with it.
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (self.limit, self.limit + 5))
            os.close(self.reader)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for number in (0, 1, 2):
                os.dup2(nowhere, number)
            answer = json.dumps(work(self.job)).encode()
            while answer:
                answer = answer[os.write(writer, answer) :]
            os._exit(0)
        finally:
            os._exit(1)

    def read(self):
        """Take what there is to read.

        :return: whether it has ended
        """
        part = os.read(self.reader, 1 << 16)
        self.parts.append(part)
        return not part

    def kill(self):
        """End it, with whatever it started."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def finish(self):
        """Wait for its end.

        :return: what the work returned, ``TIMEOUT`` or ``DIED``
        """
        os.close(self.reader)
        _pid, status = os.waitpid(self.pid, 0)
        if code := os.waitstatus_to_exitcode(status):
            return TIMEOUT if code == -signal.SIGXCPU or time.monotonic() >= self.ends_at else DIED
        return json.loads(b"".join(self.parts))


def run(jobs, work, limit, workers=1):
    """Work on jobs, each in a process of its own.

    :param jobs: iterable of jobs
    :param work: called with a job, in the new process
    :param limit: called with a job, returns its seconds of work
    :param int workers: how many at a time
    :return: generator of ``(job, answer, seconds)``, in the order in which they end
    """
    waiting, running = iter(jobs), {}
    try:
        while True:
            while len(running) < workers and (job := next(waiting, None)) is not None:
                child = Child(job, work, limit(job))
                running[child.reader] = child
            if not running:
                return
            ends_at = min(child.ends_at for child in running.values())
            ready, _writers, _errors = select.select(list(running), [], [], max(ends_at - time.monotonic(), 0))
            for child in list(running.values()):
                has_ended = child.reader in ready and child.read()
                if not has_ended and time.monotonic() >= child.ends_at:
                    child.kill()
                    has_ended = True
                if has_ended:
                    del running[child.reader]
                    yield child.job, child.finish(), time.monotonic() - child.started
    finally:
        for child in running.values():
            child.kill()
            child.finish()


def workers():
    """:return: how many processes this machine can carry
    :rtype: int
    """
    return os.cpu_count() or 1
