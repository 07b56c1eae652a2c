"""Speed and size with very many contacts, against the goals, as one table.

    bench.py FOLDER-OF-PROGRAMS FOLDER-OF-DRIVERS CONTACTS

BENCH_ONLY=contacts, delivery, mailbox or parse leaves the other tables out.

The data are the same in every run; all lies below one temporary folder, and all is ended and removed at the end. A figure that cannot be
measured says why in its row; the others are measured all the same.
"""
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import delivery  # noqa: E402
import inbox  # noqa: E402
import parse  # noqa: E402
import people  # noqa: E402
from world import Folder, free_port, stop_process, wait_for  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MILLION, DUE, STAGE_CHANGES, FORECAST_CONTACTS = 1_000_000, 1000, 400, 100_000
# behind four wakes the page cache is as full as that of a daemon that has run for a day
ROUNDS, FILLING = 9, 4


class Bench:
    """One store with its configuration, and the commands that work on it."""

    def __init__(self, folder, name, programs, driver, contacts):
        self.folder, self.programs, self.driver, self.contacts = folder, programs, driver, contacts
        self.csv, self.store, self.config = (folder / f"{name}.{end}" for end in ("csv", "db", "conf"))
        self.daemon = None
        people.write_contacts(self.csv, contacts)
        people.write_config(self.config, self.store, os.path.join(TOP, "templates"), free_port())

    def nurture(self, *arguments, **options):
        return subprocess.run([os.path.join(self.programs, "nurture"), "-c", self.config, *arguments], check=True,
                              stdout=subprocess.DEVNULL, **options)

    def load(self):
        """Imports the contacts; seconds."""
        began = time.monotonic()
        self.nurture("import", self.csv)
        return time.monotonic() - began

    def start(self):
        """Starts the daemon, at night; the moment of it."""
        began = time.monotonic()
        with open(self.folder / "nurtured.log", "ab") as log:
            self.daemon = subprocess.Popen([os.path.join(self.programs, "nurtured"), "-c", self.config, "--clock", people.CLOCK],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return began

    def is_ready(self):
        assert self.daemon.poll() is None, f"nurtured ended with status {self.daemon.returncode}"
        return subprocess.run([os.path.join(self.programs, "nurture"), "-c", self.config, "status"], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def is_decided(self):
        assert self.daemon.poll() is None, f"nurtured ended with status {self.daemon.returncode}"
        return self.ask("SELECT NOT EXISTS (SELECT 1 FROM mark)")

    def ask(self, sql):
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchone()[0]
        finally:
            connection.close()

    def memory(self, key):
        """MiB of the daemon; VmHWM: the most it ever had."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(key + ":")) / 1024

    def enrol(self):
        """Starts the daemon and waits until it has decided for all; seconds. It runs on."""
        began = self.start()
        wait_for(self.is_decided, 1800, "decided for all", every=0.05)
        return time.monotonic() - began

    def stop(self):
        if self.daemon:
            stop_process(self.daemon, 30)
            self.daemon = None

    def drive(self, *arguments):
        """The driver's lines, as lists of numbers."""
        run = subprocess.run([self.driver, self.config, *map(str, arguments)], check=True, capture_output=True, text=True)
        return [[float(word) for word in line.split()] for line in run.stdout.splitlines()]

    def make_due(self):
        """Gives DUE enrolments, spread over the store, the time of each round; the rest stays in its own time."""
        connection = sqlite3.connect(self.store)
        start_ms = connection.execute("SELECT CAST(strftime('%s', ?) AS INTEGER) * 1000", (people.CLOCK,)).fetchone()[0]
        ids = [row[0] for row in connection.execute("SELECT id FROM enrolment WHERE state = 'active' ORDER BY id")]
        chosen = random.Random(1).sample(ids, DUE * ROUNDS)
        times = [(start_ms + index // DUE * 3_600_000, number) for index, number in enumerate(chosen)]
        connection.execute(f"DELETE FROM enrolment_due WHERE enrolment_id IN ({','.join(map(str, chosen))})")
        connection.executemany("UPDATE enrolment SET due_ms = ? WHERE id = ?", times)
        connection.executemany("INSERT INTO enrolment_due (due_ms, enrolment_id) VALUES (?, ?)", times)
        connection.commit()
        connection.close()

    def wake_ms(self):
        """A wake with DUE due: the median of the rounds behind those that fill the cache."""
        self.make_due()
        lines = self.drive("wake", people.CLOCK, ROUNDS)
        assert all(queued == DUE for _, queued in lines), f"not {DUE} a wake: {lines}"
        return statistics.median(took for took, _ in lines[FILLING:])

    def stage_change_ms(self):
        """One contact decided on after a change of stage, without and with the commit; means."""
        lines = self.drive("stage", people.CLOCK, STAGE_CHANGES, self.contacts)
        assert len(lines) > STAGE_CHANGES / 2, f"only {len(lines)} of {STAGE_CHANGES} changed anything"
        return [statistics.mean(column) / 1000 for column in zip(*lines)]


def sqlite_import(bench):
    """Seconds of Debian's sqlite3 for the same file, into a table without keys."""
    target = bench.folder / "plain.db"
    began = time.monotonic()
    subprocess.run(["sqlite3", target, ".mode csv", f".import {bench.csv} contact"], check=True)
    took = time.monotonic() - began
    os.unlink(target)
    return took


class Table:
    """Rows as they are measured; every measurement is tried."""

    WIDTHS = (58, 16, 16)

    def __init__(self):
        self.failed = 0

    def head(self, figure):
        self.row(figure, "goal", "measured", "ratio")

    def row(self, figure, goal, measured, ratio):
        print(f"{figure:<{self.WIDTHS[0]}} {goal:>{self.WIDTHS[1]}} {measured:>{self.WIDTHS[2]}}  {ratio}", flush=True)

    def most(self, figure, limit, measured, unit):
        """A figure that is to stay below its limit; ratio: of the limit to it, 1 or more is good."""
        self.row(figure, f"< {limit:,g} {unit}", f"{measured:,.3g} {unit}" if measured < 1000 else f"{measured:,.0f} {unit}",
                 f"{limit / measured:.2f}" + ("" if measured < limit else "  missed"))
        self.failed += measured >= limit

    def least(self, figure, limit, measured, unit):
        self.row(figure, f">= {limit:,g} {unit}", f"{measured:,.0f} {unit}",
                 f"{measured / limit:.2f}" + ("" if measured >= limit else "  missed"))
        self.failed += measured < limit

    def note(self, figure, measured, ratio=""):
        self.row(figure, "", measured, ratio)

    def attempt(self, what, measure, *arguments):
        try:
            return measure(*arguments)
        except (OSError, AssertionError, StopIteration, ValueError, sqlite3.Error, subprocess.SubprocessError) as problem:
            self.failed += 1
            self.row(what, "", "failed", str(problem))
            return None


def measure_import(table, bench):
    took = bench.load()
    rate = bench.contacts / took
    assert bench.ask("SELECT count(*) FROM contact") == bench.contacts, "not all contacts are there"
    table.least(f"import of {bench.contacts:,} contacts", 100_000, rate, "rows/s")
    plain = bench.contacts / sqlite_import(bench)
    table.note("  sqlite3 .import of the same file, no keys", f"{plain:,.0f} rows/s", f"{rate / plain:.2f} of it is ours")


def measure_enrolment(table, bench):
    """The daemon decides for all, and is then measured as it stands."""
    took = bench.enrol()
    enrolled = bench.ask("SELECT count(*) FROM enrolment WHERE state = 'active'")
    table.most(f"enrolment of all by the daemon ({enrolled:,} enrolments)", 10 * bench.contacts / MILLION, took, "s")
    table.most("  the daemon's memory meanwhile, at most (VmHWM)", 64, bench.memory("VmHWM"), "MiB")
    bench.stop()


def measure_start(table, bench):
    began = bench.start()
    wait_for(bench.is_ready, 600, "nurture status answers", every=0.005)
    table.most("start to ready, all enrolled", 1, time.monotonic() - began, "s")
    table.most("  the daemon's memory then (VmRSS)", 64, bench.memory("VmRSS"), "MiB")
    bench.stop()


def measure_wakes(table, bench, small):
    small.load()
    small.enrol()
    small.stop()
    few, many = small.wake_ms(), bench.wake_ms()
    table.note(f"a wake with {DUE:,} due of {small.contacts:,} contacts", f"{few:.3g} ms")
    table.note(f"a wake with {DUE:,} due of {bench.contacts:,} contacts", f"{many:.3g} ms")
    table.most("  the second by the first", 2, many / few, "times")


def measure_stage_change(table, bench):
    decided, committed = bench.stage_change_ms()
    table.most("a change of stage decided on", 1, decided, "ms")
    table.note("  with its commit on this disk", f"{committed:.3g} ms")


def measure_forecast(table, bench):
    bench.load()
    bench.enrol()
    began = time.monotonic()
    bench.nurture("forecast", "--days", "90")
    took = time.monotonic() - began
    bench.stop()
    table.most(f"forecast of 90 days for {bench.contacts:,} contacts", 60 * bench.contacts / FORECAST_CONTACTS, took, "s")


def measure_contacts(table, folder, programs, driver, contacts):
    """The first table."""
    benches = []

    def made(name, count):
        benches.append(Bench(folder, name, programs, driver, count))
        return benches[-1]
    table.head("figure")
    try:
        bench, small = made("all", contacts), made("small", max(DUE * ROUNDS, contacts // 100))
        table.attempt("import", measure_import, table, bench)
        table.attempt("enrolment", measure_enrolment, table, bench)
        bench.stop()
        table.attempt("start", measure_start, table, bench)
        bench.stop()
        table.attempt("wakes", measure_wakes, table, bench, small)
        table.attempt("change of stage", measure_stage_change, table, bench)
        table.attempt("forecast", measure_forecast, table, made("forecast", min(contacts, FORECAST_CONTACTS)))
    finally:
        for each in benches:
            each.stop()


def main():
    programs, drivers, contacts = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    only = os.environ.get("BENCH_ONLY", "")
    if only not in ("", "contacts", "delivery", "mailbox", "parse"):
        sys.exit(f"BENCH_ONLY is \"{only}\"; write contacts, delivery, mailbox or parse, or leave it out")
    folder, table = Folder("nurture-bench-"), Table()
    try:
        if only in ("", "contacts"):
            measure_contacts(table, folder, programs, os.path.join(drivers, "engine"), contacts)
        if only in ("", "delivery"):
            delivery.measure(table, folder, programs, os.path.join(drivers, "smtp_threads"), contacts)
        if only in ("", "mailbox"):
            inbox.measure(table, folder, programs)
        if only in ("", "parse"):
            parse.measure(table, os.path.join(drivers, "parse"))
    finally:
        folder.close()
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
