"""A campaign: one store with many messages due, and the lives of a daemon that is killed again and again while it sends them. Then what must hold."""
import collections
import json
import os
import random
import sqlite3
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from world import Folder, wait_for  # noqa: E402
from world.nurture import Nurture, account, server  # noqa: E402

# where the way out can be killed by name; those of the way in and of the Sent folder are tests/e2e/'s, beside a real Dovecot
POINTS = ["claim-before-commit", "claim-after-commit", "delivery-answered", "outcome-before-commit", "outcome-after-commit"]
RANDOM = "a random moment"
RULES = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; } ); }'
CONNECTIONS, AHEAD = 4, 64  # AHEAD: messages that wait at a connection, at most (engine/pace.h)
RECOVERED = "the daemon ended while this was being sent"
KILLED = -9

# One life: killed at the point, while the mail server fails in the phase in this way; both "" where it does not fail.
Cell = collections.namedtuple("Cell", "point phase fault")


class Sink:
    """A mail server in a process of its own, that counts what arrives, by recipient: an honest one (aiosmtpd), or, with a seed, one that fails."""

    def __init__(self, seed=None):
        program = "sink.py" if seed is None else "hostile.py"
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(HERE, program), str(seed)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def counts(self):
        return self.ask("counts")["taken"]

    def close(self):
        self.process.kill()
        self.process.wait()


class Campaign:
    """lives() may be called several times; finish() once, at the end."""

    def __init__(self, seed, messages, hostile=False, resend=False):
        self.rng, self.messages, self.resend = random.Random(seed), messages, resend
        self.sink, self.folder = Sink(seed if hostile else None), Folder("nurture-crash-")
        keys = f'tls = "none"; connections = {CONNECTIONS};'
        secret = {"user": "anna", "password": "correct"} if hostile else {}
        self.one = Nurture(self.folder, account(server("smtp", self.sink.port, extra=keys, **secret),
                                                extra='on_uncertain = "resend";' if resend else ""), rules=RULES)
        # many are refused here: the account must not pause itself for that
        with open(self.one.config, encoding="utf-8") as file:
            text = file.read().replace("sending = {", "sending = { breaker = { bounces = 100; };")
        self.folder.write("nurture.conf", text, mode=0o600)
        self.crossed, self.missed, self.faults = [], [], []
        self.states, self.twice = collections.Counter(), 0  # how the rows ended; who got more than one
        self.kills, self.in_flight = 0, collections.Counter()  # in_flight: row -> kills that found it `sending`
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 86400))
        self.one.run("import", self.folder.write("c.csv", "email,stage,stage_since\n" + "".join(
            f"c{i}@kunde.example,pitching,{since}\n" for i in range(messages))))

    # ---- lives -----------------------------------------------------------------------------------------------------------

    def passage(self, cell):
        """Claims are made before anything can fail, so that the first is of no use beside a fault."""
        if cell.phase and cell.point.startswith("claim"):
            return self.rng.randrange(2, 4)
        return self.rng.randrange(1, 9 if cell.point == "delivery-answered" else 4)

    def live(self, cell):
        """One life, ended by SIGKILL at the point or, where it does not come there, soon."""
        if cell.phase:
            self.sink.ask(f"aim {cell.phase} {cell.fault}")
        named = cell.point != RANDOM
        self.one.start(wait=False, environment={"NURTURE_CRASH_AT": f"{cell.point}:{self.passage(cell)}"} if named else {})
        met = not cell.phase or self.sink.ask("wait 1")["bites"] > 0
        try:
            self.one.process.wait(1 if named else self.rng.uniform(0, 0.05 if cell.phase else 0.35))
        except subprocess.TimeoutExpired:
            self.one.process.kill()
            named_hit = False
        else:
            named_hit = named
        status = self.one.process.wait()
        self.one.process = None
        if status != KILLED:
            self.faults.append(f"{cell}: nurtured ended with {status}: {self.one.log_text()[-500:]}")
        self.kills += 1
        self.count_in_flight(cell)
        (self.crossed if met and named_hit == named else self.missed).append(cell)

    def count_in_flight(self, cell):
        with sqlite3.connect(f"file:{self.folder / 'nurture.db'}?mode=ro", uri=True) as store:
            rows = [row for row, in store.execute("SELECT id FROM outbox WHERE state = 'sending'")]
        store.close()
        self.in_flight.update(rows)
        if len(rows) > CONNECTIONS * AHEAD:
            self.faults.append(f"{cell}: {len(rows)} messages were in flight")

    def lives(self, cells):
        """As long as there is something to send; returns the cells that were not lived."""
        for i, cell in enumerate(cells):
            if not self.has_work():
                return cells[i:]
            self.live(cell)
        return []

    def has_work(self):
        with sqlite3.connect(f"file:{self.folder / 'nurture.db'}?mode=ro", uri=True) as store:
            left = store.execute("SELECT count(*) FROM outbox WHERE state = 'queued' OR state = 'sending'").fetchone()[0]
            decided = store.execute("SELECT count(*) FROM outbox").fetchone()[0]
        store.close()
        return left > 0 or decided < self.messages

    # ---- the end ---------------------------------------------------------------------------------------------------------

    def is_settled(self):
        return not [m for m in self.one.json("queue") if m["state"] in ("queued", "deferred", "sending")]

    def finish(self):
        """The server is kind from now on, and what waits for a later try has its time. Then what must hold is added to the faults."""
        self.sink.ask("kind")
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600))
        self.one.start("--clock", later, "--speed", "3600")  # an hour a second
        try:
            wait_for(self.is_settled, 30, what=lambda: self.one.log_text()[-2000:] + str(self.one.json("queue"))[:2000])
        finally:
            self.one.stop()
        self.judge()

    def judge(self):
        rows, told = self.one.json("queue", "list", "--all"), self.sink.ask("counts")
        self.states = collections.Counter(row["state"] for row in rows)
        self.twice = sum(count > 1 for count in told["taken"].values())
        addresses = collections.Counter(row["contact"] for row in rows)
        wanted = collections.Counter(f"c{i}@kunde.example" for i in range(self.messages))
        self.faults += [f"{n} rows too many for {address}" for address, n in (addresses - wanted).items()]
        self.faults += [f"no row for {address}" for address in wanted - addresses]
        for row in rows:
            got = told["taken"].get(row["contact"], 0)
            hurt = told["hurt"].get(row["contact"], []) + [word for word in told["hurt"].get("", []) if word.startswith("mail")]
            for fault in self.judge_row(row, got, hurt):
                self.faults.append(f"{row['contact']}: {fault}; it is {row['state']} ({row['reason']}), arrived {got} times, met {hurt}, "
                                   f"{self.in_flight[row['id']]} kills found it sending")

    def judge_row(self, row, got, hurt):
        doubts = self.in_flight[row["id"]] + sum(word.startswith(("body", "dot")) for word in hurt)
        if row["state"] not in ("sent", "uncertain", "failed"):
            yield "it has no end"
        if row["state"] == "sent" and got == 0:
            yield "lost"
        if row["state"] == "failed" and (got or not [word for word in hurt if word.endswith("5xx")]):
            yield "failed, and was not refused"
        if got > 1 and (not self.resend or got > 1 + doubts):
            yield "sent twice"
        if row["state"] == "uncertain" and not self.is_explained(row, hurt):
            yield "uncertain without an explanation that holds"

    def is_explained(self, row, hurt):
        """The reason is told, and it is what happened."""
        if row["reason"] == RECOVERED:
            return self.in_flight[row["id"]] > 0
        return f"localhost:{self.sink.port}" in row["reason"] and any(word.startswith(("body", "dot")) for word in hurt)

    def close(self):
        self.one.stop()
        self.sink.close()
        self.folder.close()
