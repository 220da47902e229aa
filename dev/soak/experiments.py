"""What is proven. Runs inside Odoo: the parent of all workers, without a transaction of its own while they work."""

import contextlib
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, sql_db
from odoo.fields import Command
from odoo.modules.registry import Registry

from odoo.addons.account_collection.models.delivery import collection_action_delivery, mail_mail

from . import smtp_server
from .addons import collection_around_the_clock  # noqa: F401 - on any day, at any hour
from .customers import make_invoices
from .nursery import Nursery
from .sizes import LAST, SIZES

DELAYS = (3, 8, 15, 30)


def run(env, size, folder):
    """Prove, and print one line per proof.

    :param env: Odoo's environment
    :param str size: one of ``SIZES``
    :param str folder: where the mail server keeps its notes
    """
    database = env.cr.dbname
    env.cr.rollback()
    env.cr.close()
    _Experiments(database, SIZES[size], pathlib.Path(folder)).run()
    # Not back to the shell, whose transaction is gone.
    os._exit(0)


class _Experiments:
    def __init__(self, database, size, folder):
        self.database = database
        self.size = size
        self.folder = folder
        self.port = _free_port()
        collection_action_delivery.BATCH_SIZE = size.batch
        mail_mail.GRACE = timedelta(seconds=5)

    def run(self):
        with self._environment() as env:
            started = time.monotonic()
            _make_company(env, self.size.debtors, self.port)
            self._report("customers with a plan", True, f"made in {time.monotonic() - started:.0f} s")
        self._prove_two_at_once()
        self._prove_killed_workers()
        self._prove_failing_server()
        self._prove_two_senders()
        self._prove_killed_senders()
        self._prove_nothing_left()

    # -- proofs --

    def _prove_two_at_once(self):
        nursery = Nursery(self.database, _plan_and_deliver)
        seconds = self.seconds = nursery.run(2, lambda: self._count_done(3) == self.size.debtors)
        self._report_said_once("two workers at once", 3, nursery, seconds)

    def _prove_killed_workers(self):
        self._next_day()
        nursery = Nursery(self.database, _plan_and_deliver)
        seconds = nursery.run(
            2,
            lambda: self._count_done(8) == self.size.debtors,
            self.size.kills,
            lambda: self._count_done(8) / self.size.debtors,
            # As fast as this machine works: all kills fall into the work.
            pace=min(0.8, self.seconds / self.size.kills / 2),
        )
        self._report_said_once("workers killed while they plan and deliver", 8, nursery, seconds, self.size.kills)

    def _prove_failing_server(self):
        """No server, then a busy one, then one that works: nothing is lost, doubled or called sent too early."""
        mails = self._sql("SELECT COUNT(*) FROM mail_mail")[0][0]
        states = []
        started = time.monotonic()
        self._work(_send_queue)
        states.append(self._count_states())
        with self._mail_server("busy"):
            self._work(_send_queue)
            states.append(self._count_states())
        self._report(
            "no mail server, then a busy one",
            all(set(state) == {("done", "queued")} for state in states) and not self._get_accepted(),
            f"{mails} messages wait, none is called sent",
        )
        with self._mail_server("accept"):
            while self._count_queued():
                self._work(_send_queue)
        # Each customer got two messages; one has no such address, and one message was swallowed by the server.
        accepted = self._get_accepted()
        debtors = self.size.debtors
        final = self._count_states()
        expected = {
            ("done", "sent"): 2 * (debtors - 2),
            ("failed", "failed"): 2,
            ("done", "uncertain"): 2,
            ("planned", None): 1,
        }
        self._report(
            "… then one that works",
            final == expected and set(accepted.values()) == {2} and len(accepted) == debtors - 1,
            f"{sum(accepted.values())} messages arrived once in {time.monotonic() - started:.1f} s; {_show(final)}",
        )
        fallbacks = self._sql(
            "SELECT channel, COUNT(*) FROM collection_action WHERE fallback_of_id IS NOT NULL GROUP BY 1"
        )
        self._report("… whose address is refused is telephoned", fallbacks == [("call", 1)], _show(dict(fallbacks)))

    def _prove_two_senders(self):
        """Senders that hesitate at each commit get into each other's way: nothing is doubled or called uncertain."""
        self._sql("UPDATE collection_action SET state = 'cancelled' WHERE state = 'planned'")
        for column in ("email", "email_normalized"):
            self._sql(
                f"UPDATE res_partner SET {column} = replace(replace({column}, 'unknown', 'known'), 'vanish', 'stay')"
            )
        self._prove_senders("two senders at once", _send_queue_hesitantly, "accept", 0)

    def _prove_killed_senders(self):
        """Senders are killed while the server takes messages: none arrives twice, what is not known is marked."""
        self._prove_senders("senders killed while the server takes messages", _send_queue, "slow", self.size.kills)

    def _prove_senders(self, name, work, behaviour, kills):
        self._next_day()
        [[last_id]] = self._sql("SELECT MAX(id) FROM collection_action")
        self._work(_plan_and_deliver)
        before = self._get_accepted()
        total = self._count_queued()
        with self._mail_server(behaviour):
            nursery = Nursery(self.database, work)
            seconds = nursery.run(
                2,
                lambda: not self._count_queued(),
                kills,
                lambda: sum((self._get_accepted() - before).values()) / total,
                pace=0.3,
            )
        arrived = self._get_accepted() - before
        states = Counter()
        wrong = []
        for email, state, delivery in self._sql(
            "SELECT address, state, delivery_state FROM collection_action WHERE id > %s", last_id
        ):
            states[state, delivery] += 1
            count = arrived[email]
            if count > 1 or (delivery == "sent" and count != 1) or delivery not in ("sent", "uncertain"):
                wrong.append((email, state, delivery, count))
        unsure = states["done", "uncertain"]
        really = sum(arrived.values()) - states["done", "sent"]
        self._report(
            name,
            not wrong
            and not nursery.failed
            and nursery.killed == kills
            # A kill leaves one message at most of which nothing is known.
            and unsure <= kills
            and sum(states.values()) == total == self.size.debtors,
            f"{nursery.killed} kills, {total} messages, {max(arrived.values())} at most arrived per customer, "
            f"{unsure} uncertain of which {really} arrived, {seconds:.1f} s {wrong[:3] or ''}"
            f"{f' {nursery.failed} failed' if nursery.failed else ''}",
        )

    def _prove_nothing_left(self):
        locks = self._sql("SELECT COUNT(*) FROM collection_action WHERE state = 'planned' AND channel = 'email'")[0][0]
        waiting = self._sql("SELECT COUNT(*) FROM mail_mail WHERE state = 'outgoing'")[0][0]
        self._report(LAST, not locks and not waiting, f"{locks} planned e-mails, {waiting} in the queue")

    # -- what happened --

    def _report_said_once(self, name, delay, nursery, seconds, kills=0):
        """Check that each customer got exactly this step: one action, one mail, one message."""
        rows = self._sql(
            """SELECT debtor.id, COUNT(DISTINCT action.id), COUNT(DISTINCT mail.id), COUNT(DISTINCT message.id),
                      COUNT(DISTINCT item.id), COUNT(*) FILTER (WHERE action.state != 'done')
                 FROM collection_debtor debtor
            LEFT JOIN collection_action action ON action.debtor_id = debtor.id
                 AND action.step_id = (SELECT id FROM collection_plan_step WHERE delay = %s AND plan_id =
                                              (SELECT id FROM collection_plan WHERE is_running))
            LEFT JOIN mail_message message ON message.model = 'collection.debtor' AND message.res_id = debtor.id
                 AND message.subject LIKE %s
            LEFT JOIN mail_mail mail ON mail.mail_message_id = message.id
            LEFT JOIN collection_action_item item ON item.action_id = action.id
             GROUP BY 1""",
            delay,
            f"%Step {delay}",
        )
        wrong = [row for row in rows if row[1:] != (1, 1, 1, 1, 0)]
        good = not wrong and not nursery.failed and nursery.killed == kills and len(rows) == self.size.debtors
        self._report(
            name,
            good,
            f"{len(rows)} customers, {nursery.started} workers, {nursery.killed} killed, {nursery.failed} failed, "
            f"{len(wrong)} wrong, {seconds:.1f} s {wrong[:3] or ''}",
        )

    def _report(self, name, good, facts):
        print("@", json.dumps({"name": name, "good": bool(good), "facts": facts}), flush=True)

    def _count_done(self, delay):
        return self._sql(
            """SELECT COUNT(*) FROM collection_action action JOIN collection_plan_step step ON step.id = action.step_id
                WHERE action.state = 'done' AND step.delay = %s""",
            delay,
        )[0][0]

    def _count_queued(self):
        return self._sql("SELECT COUNT(*) FROM collection_action WHERE delivery_state = 'queued'")[0][0]

    def _count_states(self):
        return {
            (state, delivery): count
            for state, delivery, count in self._sql(
                "SELECT state, delivery_state, COUNT(*) FROM collection_action GROUP BY 1, 2"
            )
        }

    def _get_accepted(self):
        path = self.folder / "accepted"
        return Counter(line.split()[0] for line in path.read_text().splitlines()) if path.exists() else Counter()

    # -- the world --

    def _next_day(self):
        """Let days go by: what was said lies back, and the company plans anew."""
        self._sql("UPDATE collection_action SET date_done = date_done - interval '10 days'")
        self._sql("UPDATE collection_plan SET planned_on = NULL")

    def _work(self, work):
        """Run a job once, in a worker of its own."""
        nursery = Nursery(self.database, work)
        nursery._start()
        while nursery.alive:
            nursery._reap()
            time.sleep(0.02)
        if nursery.failed:
            raise RuntimeError("A worker failed.")

    @contextlib.contextmanager
    def _mail_server(self, behaviour):
        (self.folder / "behaviour").write_text(behaviour)
        command = [sys.executable, smtp_server.__file__, str(self.folder), str(self.port)]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
            try:
                _wait_for(self.port)
                yield
            finally:
                server.kill()

    @contextlib.contextmanager
    def _environment(self):
        with Registry(self.database).cursor() as cr:
            yield api.Environment(cr, SUPERUSER_ID, {})

    def _sql(self, query, *params):
        with sql_db.db_connect(self.database).cursor() as cr:
            cr.execute(query, params or None)
            rows = cr.fetchall() if cr.description else []
            cr.commit()
            return rows


# -- what workers do --


def _plan_and_deliver(env):
    env["collection.plan"]._cron_plan_and_deliver()
    env.cr.commit()


def _send_queue(env):
    env["mail.mail"].process_email_queue()
    env.cr.commit()
    action = env["collection.action"]
    action._retry_conflicts(action._collect_results)
    env.cr.commit()


def _send_queue_hesitantly(env):
    """Send with a pause after each commit, where workers meet."""
    commit = env.cr.commit

    def commit_and_wait():
        commit()
        time.sleep(random.uniform(0, 0.05))

    with patch.object(env.cr, "commit", commit_and_wait):
        _send_queue(env)


# -- the ledger --


def _make_company(env, count, port):
    """Make customers with an overdue invoice each, and switch on a plan that writes e-mails to them."""
    company = env.company
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company=company, install_demo=False)
    env["ir.mail_server"].search([]).active = False
    env["ir.mail_server"].create(
        {"name": "Proof", "smtp_host": "127.0.0.1", "smtp_port": port, "smtp_encryption": "none"}
    )
    company.write(
        {
            "email": "accounts@company.example",
            "collection_pressure_cap": 0,
            "collection_contact_gap_days": 0,
            "collection_bank_fresh_days": 0,
        }
    )
    names = ["unknown", "vanish", *(f"customer{number}" for number in range(count - 2))]
    partners = env["res.partner"].create(
        [{"name": name, "is_company": True, "email": f"{name}@customer.example"} for name in names]
    )
    make_invoices(env, partners).action_post()
    env["collection.debtor"]._synchronize(company)
    env["collection.plan"].search([]).active = False
    template = env["mail.template"].create(
        {
            "name": "Proof",
            "model_id": env["ir.model"]._get("collection.debtor").id,
            "lang": "{{ object.lang }}",
            "body_html": "<p>Hello,</p><t t-out='object._get_claim_table()'/>",
        }
    )
    plan = env["collection.plan"].create(
        {
            "name": "Proof",
            "gap_days": 0,
            "step_ids": [
                Command.create(
                    {
                        "name": f"Step {delay}",
                        "delay": delay,
                        "template_id": template.copy({"subject": f"Step {delay}"}).id,
                        "attach_invoices": "no",
                    }
                )
                for delay in DELAYS
            ],
        }
    )
    plan._start()
    env.cr.commit()


def _free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port):
    for _attempt in range(500):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    raise TimeoutError("The mail server does not answer.")


def _show(counts):
    return ", ".join(
        f"{count} {'/'.join(map(str, key)) if isinstance(key, tuple) else key}"
        for key, count in sorted(counts.items(), key=str)
    )
