#!/usr/bin/python3
"""make crash: a run of many messages, ended by SIGKILL at named and at random moments, and started again each time; in every second campaign the
mail server fails at any phase, too (hostile.py).

After each campaign: no contact without a message, an `uncertain` row or a refusal, none with two messages, and never two rows for a step.
usage: crash.py ROUNDS [MESSAGES]   prints a line a campaign, and exits 1 with the first that does not hold.
"""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from world import Folder, wait_for  # noqa: E402
from world.nurture import Nurture, account, server  # noqa: E402

POINTS = ["claim-before-commit", "claim-after-commit", "delivery-answered", "outcome-before-commit", "outcome-after-commit"]
RULES = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; } ); }'


class Sink:
    """Counts what arrives, by recipient, in a process of its own: a real SMTP server (aiosmtpd), or, with a seed, one that fails."""

    def __init__(self, seed=None):
        program = "sink.py" if seed is None else "hostile.py"
        self.process = subprocess.Popen(["/usr/bin/python3", os.path.join(os.path.dirname(os.path.abspath(__file__)), program), str(seed)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())

    def counts(self, request="counts"):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return dict((line.split()[0], int(line.split()[1])) for line in iter(self.process.stdout.readline, "end\n"))

    def close(self):
        self.process.kill()
        self.process.wait()


def is_settled(one):
    return not [m for m in one.json("queue") if m["state"] in ("queued", "deferred", "sending")]


def finish(one, sink):
    """The server is kind from now on, and what waits for a later try has its time."""
    sink.counts("kind")
    for hours in (6, 12, 24):
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + hours * 3600))
        one.start("--clock", later)
        try:
            wait_for(lambda: is_settled(one), 20)
            return
        except AssertionError:
            if hours == 24:
                raise AssertionError(one.log_text()[-2000:] + str(one.json("queue"))) from None
        finally:
            one.stop()


def campaign(seed, messages, kills, hostile=False):
    """One run: returns (kills made, uncertain, faults)."""
    rng, sink, folder = random.Random(seed), Sink(seed if hostile else None), Folder("nurture-crash-")
    one = Nurture(folder, account(server("smtp", sink.port, extra='tls = "none"; connections = 4;')), rules=RULES)
    try:
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2 * 86400))
        csv = folder.write("c.csv", "email,stage,stage_since\n" + "".join(f"c{i}@kunde.example,pitching,{since}\n" for i in range(messages)))
        one.run("import", csv)
        made = 0
        for kill in range(kills):
            point = rng.choice([None, *POINTS])
            environment = {"NURTURE_CRASH_AT": f"{point}:{rng.randrange(1, max(2, messages // kills // 3))}"} if point else {}
            one.start(wait=False, environment=environment)
            try:
                one.process.wait(2 if point else rng.uniform(0.02, 0.35))
                made += one.process.returncode == -9
                one.process = None
            except subprocess.TimeoutExpired:
                one.kill()
                made += 1
        finish(one, sink)
        return (made, *judge(one, sink.counts(), messages, hostile))
    finally:
        one.stop()
        sink.close()
        folder.close()


def judge(one, counts, messages, hostile):
    rows = one.json("queue", "list", "--all")
    faults = []
    states = {}
    for row in rows:
        if row["contact"] in states:
            faults.append(f"two rows for {row['contact']}")
        states[row["contact"]] = row["state"]
        if row["state"] == "uncertain" and not row["reason"]:
            faults.append(f"no reason given for {row['contact']}")
    for i in range(messages):
        address = f"c{i}@kunde.example"
        got, state = counts.get(address, 0), states.get(address)
        if got > 1:
            faults.append(f"{address} got {got} messages")
        refused = hostile and state == "failed" and got == 0
        if not refused and (state not in ("sent", "uncertain") or (state == "sent" and got != 1)):
            faults.append(f"{address} is {state} and got {got}")
    return sum(state == "uncertain" for state in states.values()), faults


def main():
    rounds, messages = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300
    kills = 0
    first = int(os.environ.get("CRASH_SEED", "1"))
    for seed in range(first, first + rounds):
        hostile = seed % 2 == 0
        made, uncertain, faults = campaign(seed, messages, 10, hostile)
        kills += made
        print(f"campaign {seed}{' against a hostile server' if hostile else ''}: {made} kills, {uncertain} uncertain, {len(faults)} faults", flush=True)
        if faults:
            print("\n".join(faults[:20]))
            return 1
    print(f"{rounds} campaigns, {kills} kills, {messages} messages each: none lost, none twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
