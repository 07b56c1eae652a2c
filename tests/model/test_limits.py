"""Who goes first, and when, where an account cannot send all that is due: nurture forecast against a queue of a dozen lines."""
import json
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from generate import start_of  # noqa: E402
from program import Program  # noqa: E402
from rules import Condition, Contact, Rule, Sending, Step  # noqa: E402
from times import DAY, HOUR, MINUTE, Duration, Window, parse, text_of  # noqa: E402

from world import Folder  # noqa: E402
from world.nurture import account, server  # noqa: E402

ANY_TIME = Sending("UTC", Window(frozenset(range(7)), 0, 1440), Duration(0, "days"), Duration(0, "days"))
OVERTAKES = 4  # so many messages in a row may overtake an older one of lower priority


class Queue:
    """limits: every, per_hour, per_day (0: does not limit), ramp (start, step, max) or None. waiting: [(due, priority, contact)]."""

    def __init__(self, limits, waiting):
        self.every, self.per_hour, self.per_day, self.ramp = limits
        self.waiting, self.tries, self.sent = list(waiting), [], []

    def opens(self, at):
        """The earliest time from at on at which one more may be tried."""
        while True:
            times = [at, self.tries[-1] + self.every if self.tries else at]
            for most, span in ((self.per_hour, HOUR), (self.per_day, DAY)):
                if most and len(self.tries) >= most:
                    times.append(self.tries[-most] + span)
            if self.ramp and self.tries:
                start, step, highest = self.ramp
                day = (at - self.tries[0]) // DAY
                most = min(start + step * day, highest)
                if len(self.tries) >= most and self.tries[-most] + DAY > at:
                    times.append(min(self.tries[-most] + DAY, self.tries[0] + (day + 1) * DAY))
            if max(times) == at:
                return at
            at = max(times)

    def next_of(self, ready):
        """The highest priority, then the oldest; but the oldest of all, where enough have overtaken it."""
        first, oldest = min(ready, key=lambda m: (-m[1], m[0])), min(ready)
        overtook = 0
        while overtook < min(OVERTAKES, len(self.sent)) and self.sent[-1 - overtook][1] > oldest[1]:
            overtook += 1
        return oldest if first[1] > oldest[1] and overtook == OVERTAKES else first

    def run(self, until):
        while self.waiting:
            at = self.opens(max(min(self.waiting)[0], self.tries[-1] if self.tries else 0))
            if at >= until:
                break
            message = self.next_of([m for m in self.waiting if m[0] <= at])
            self.waiting.remove(message)
            self.tries.append(at)
            self.sent.append((at, message[1], message[2]))
        return [(at, contact) for at, _, contact in self.sent]


def limits_text(every, per_hour, per_day, ramp):
    keys = [f'every = "{every // 1000} seconds";'] + [f"per_hour = {per_hour};"] * bool(per_hour) + [f"per_day = {per_day};"] * bool(per_day)
    if ramp:
        keys.append("ramp = { start = %d; step = %d; max = %d; };" % ramp)
    return f"limits = {{ {' '.join(keys)} }};"


@pytest.mark.rounds(10)
def test_priority_age_and_limits_give_the_order(seed):
    rng = random.Random(seed)
    now, folder = start_of(rng), Folder("nurture-limits-")
    limits = (rng.choice([1, 5, 30]) * MINUTE, rng.choice([0, 3, 9]), rng.choice([0, 20, 40]), rng.choice([None, (2, 1, 5), (10, 7, 31)]))
    way_out = server("smtp", 9, extra='tls = "none";')
    program = Program(folder, 9, account(way_out, extra=limits_text(*limits)))
    rules = [Rule(f"r{n}", "stage", [Condition("tag", [f"t{n}"])], [], [Step(f"s{n}", delay=Duration(3, "days"))], ["reply"], priority)
             for n, priority in enumerate([-9, 0, 0, 4, 100])]
    due = rng.sample(range(1, 3 * 1440), 120)  # minutes from now; each its own, so that age decides
    people = [(now + minute * MINUTE, rng.choice(rules), f"c{n}@kunde.example") for n, minute in enumerate(due)]
    try:
        program.write([], ANY_TIME)
        program.start("--clock", text_of(now), "--speed", "0.000001")
        program.bring_in([Contact(email, "UTC", "pitching", at - 3 * DAY, tags=["t" + rule.name[1:]]) for at, rule, email in people])
        said = program.run("-c", program.write(rules, ANY_TIME, "other.conf"), "forecast", "--days", "10", "--json").stdout
        theirs = [(parse(m["at"]), m["contact"]) for m in map(json.loads, said.splitlines())]
        mine = Queue(limits, [(at, rule.priority, email) for at, rule, email in people]).run(now + 10 * DAY)
        off = next((n for n, pair in enumerate(zip(theirs, mine)) if pair[0] != pair[1]), min(len(mine), len(theirs)))
        assert theirs == mine, f"{limits}: from number {off} on: nurture {theirs[off:off + 5]}, reference {mine[off:off + 5]}"
        assert program.stop() == 0, program.log_text()
    finally:
        program.stop()
        folder.close()
