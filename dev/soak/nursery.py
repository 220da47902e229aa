"""Worker processes that are forked from a ready Odoo, as its own server does, and killed without warning."""

import contextlib
import os
import random
import signal
import sys
import time
import traceback

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry


class Nursery:
    """Starts, kills and restarts workers that all do the same work.

    :param str database: the database they work in
    :param work: function of an environment
    """

    def __init__(self, database, work):
        self.database = database
        self.work = work
        self.alive = {}
        self.killed = self.failed = self.started = 0

    def run(self, workers, is_done, kills=0, progress=None, pace=0.8, timeout=1800):
        """Keep so many workers alive until all is done, and kill some on the way.

        :param int workers: how many work at once
        :param is_done: function without arguments
        :param int kills: how often one of them, chosen by chance, is killed
        :param progress: function that returns the part of the work that is done: the kills are spread over it
        :param float pace: most seconds from one kill to the next
        :return: seconds that it took
        """
        started = time.monotonic()
        next_kill = started + random.uniform(0, pace)
        while not is_done():
            if time.monotonic() - started > timeout:
                raise TimeoutError("The workers did not finish.")
            self._reap()
            while len(self.alive) < workers:
                self._start()
            if self.killed < kills and time.monotonic() >= next_kill and progress() * kills >= self.killed - 1:
                self._kill()
                next_kill = time.monotonic() + random.uniform(0, pace)
            time.sleep(0.02)
        while self.alive:
            self._reap()
            time.sleep(0.02)
        return time.monotonic() - started

    def _start(self):
        sql_db.close_all()
        pid = os.fork()
        if pid:
            self.alive[pid] = True
            self.started += 1
            return
        code = 1
        try:
            random.seed()
            with Registry(self.database).cursor() as cr:
                self.work(api.Environment(cr, SUPERUSER_ID, {}))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _kill(self):
        pid = random.choice(list(self.alive))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.alive[pid] = False
            self.killed += 1

    def _reap(self):
        for pid in list(self.alive):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                was_left_alone = self.alive.pop(pid)
                if was_left_alone and status:
                    self.failed += 1
