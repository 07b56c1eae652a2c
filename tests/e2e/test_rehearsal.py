"""nurture forecast is what then happens: a thousand contacts in zones all over the world, all kinds of steps, 90 days; the daemon on a
virtual clock sends exactly the messages that were foretold, at the same minutes."""
import collections
import datetime
import email
import email.utils
import os
import random
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))

from generate import ZONES  # noqa: E402
from program import Program, told_by  # noqa: E402
from rules import CUSTOMER_STAGE, STAGES, Condition, Contact, Rule, Sending, Step  # noqa: E402
from times import DAY, MINUTE, Duration, Window, parse, text_of  # noqa: E402

from world import Folder, wait_for  # noqa: E402
from world.nurture import account, server  # noqa: E402
from world.sink import Sink  # noqa: E402

START = parse("2026-03-10T06:30:00Z")  # clocks change in New York before it, then in Europe, Australia, Chile
DAYS = 90
WEEK = frozenset(range(7))
WEEKDAYS = frozenset(range(5))
HOLIDAYS = {"": frozenset({datetime.date(2026, 4, 3), datetime.date(2026, 4, 6), datetime.date(2026, 5, 1)}),
            "NO": frozenset({datetime.date(2026, 4, 2), datetime.date(2026, 4, 3), datetime.date(2026, 4, 6), datetime.date(2026, 5, 14)})}
SENDING = Sending("Europe/Oslo", Window(WEEKDAYS, 540, 990), Duration(2, "days"), Duration(7, "days"), max_per={"week": 2, "month": 6}, holidays=HOLIDAYS)
MARKER = "end@marker.example"  # a contact whose message holds the clock when the days are over


def days(number):
    return Duration(number, "days")


RULES = [
    Rule("pitch", "stage", [Condition("stage", ["pitching", "negotiating"])], [], [
        Step("pitch-1", delay=days(2)), Step("pitch-2", delay=Duration(3, "business days")),
        Step("pitch-3", delay=Duration(1, "months"), at=600, on=frozenset({1, 3}))], ["reply", "stage-change"], priority=5),
    Rule("research", "stage", [Condition("stage", STAGES[:4]), Condition("stage_age", (days(5), days(60)))], [Condition("tag", ["cold"])], [
        Step("research-1", "age", days(6)), Step("research-2", "age", days(20), conditions=[Condition("attribute", ["gold", "silver"], "plan")]),
        Step("research-call", "age", days(30), is_task=True)], ["reply"], window=Window(frozenset({0, 2, 4}), 600, 1080)),
    Rule("care", "customer", [Condition("customer", True)], [Condition("owner", ["clock"])], [
        Step("welcome", "age", days(7)), Step("check-in", "age", days(45), at=630), Step("renewal", "", date="renewal", before=days(14))], ["reply"]),
    Rule("year", "customer", [Condition("customer_age", (days(250), None))], [], [Step("year", "", date="anniversary")], ["reply"]),
    Rule("referral", "customer", [Condition("customer", True), Condition("tag", ["happy"])], [], [Step("ask", "age", days(10))], ["reply"],
         repeat_every=Duration(5, "weeks"), repeat_max=20, priority=-5),
    Rule("spring", "stage", [Condition("not_contacted", days(20))], [], [Step("spring", "", date=(5, 4)), Step("summer", "", date=datetime.date(2026, 6, 1))],
         ["reply"], until=datetime.date(2026, 6, 5)),
    Rule("end", "customer", [Condition("tag", ["end"])], [], [Step("halt", "age", days(DAYS + 1))], ["reply"], window=Window(WEEK, 0, 1440)),
]


def contacts(rng, count):
    for n in range(count):
        stage = rng.choice(STAGES)
        since = START - rng.randrange(50 * DAY // MINUTE) * MINUTE
        customer_since = since - rng.choice([0, 0, 300]) * DAY if stage == CUSTOMER_STAGE else 0
        contact = Contact(f"c{n}@kunde.example", rng.choice(ZONES), stage, since, customer_since, rng.choice(["anna", "bert", ""]),
                          tags=rng.choice([[], ["happy"], ["happy"], ["cold"]]))
        contact.attributes = {"plan": rng.choice(["", "gold", "silver"]), "country": rng.choice(["", "NO"]),
                              "renewal": rng.choice(["", "2026-05-20", "04-30", "2025-01-01"])}
        yield contact


def sent(mail):
    """(minute, contact, step) of a mail that was taken: Date is the time at which it was claimed."""
    at = email.utils.parsedate_to_datetime(email.message_from_bytes(mail)["Date"])
    return (at.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M"), *told_by(mail))


def is_idle(one):
    """Nothing is left to decide or to send at the start; what the limits hold back waits."""
    with sqlite3.connect(f"file:{one.folder / 'nurture.db'}?mode=ro", uri=True) as store:
        return store.execute("SELECT NOT EXISTS (SELECT 1 FROM mark) AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'sending')"
                             " AND NOT EXISTS (SELECT 1 FROM enrolment_due WHERE due_ms <= $1)"
                             " AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'queued' AND account <> 'bert' AND due_ms > 0 AND due_ms <= $1)"
                             " AND EXISTS (SELECT 1 FROM outbox WHERE state = 'sent' AND account = 'bert')", (START,)).fetchone()[0]


class TestRehearsal:
    def test_the_forecast_of_90_days_is_what_the_daemon_sends(self, request):
        sink = Sink(lambda _, mail: told_by(mail) == (MARKER, "halt"))
        way_out = server("smtp", sink.port, extra='tls = "none"; connections = 4;')
        limits = 'limits = { per_hour = 40; per_day = 150; every = "10 seconds"; jitter = "5 seconds"; };'
        accounts = ",\n".join(account(way_out, name=name, address=f"{name}@example.com", extra=extra)
                              for name, extra in (("anna", ""), ("bert", limits), ("clock", "")))
        one = Program(Folder("nurture-rehearsal-"), sink.port, accounts)
        request.addfinalizer(lambda: (one.kill() if one.process else None, sink.close(), one.folder.close()))
        one.write(RULES, SENDING)
        one.start("--clock", text_of(START), "--speed", "0.000001")
        marker = Contact(MARKER, "UTC", STAGES[5], START - DAY, START - DAY, "clock", tags=["end"])
        one.bring_in([*contacts(random.Random(20260310), 1000), marker])
        wait_for(lambda: is_idle(one), 60, every=0.1)
        forecast = one.json("forecast", "--days", str(DAYS))
        before = len(sink.mails)
        assert one.stop() == 0
        one.start("--clock", text_of(START), "--speed", "1000000", wait=False)
        sink.wait_held(120)
        foretold = collections.Counter((m["at"][:16], m["contact"], m["step"]) for m in forecast)
        really = collections.Counter(sent(mail) for _, mail in sink.mails[before:])
        assert foretold == really, "\n".join(f"{what}: {sorted(more.elements())[:20]}" for what, more in
                                             (("foretold, not sent", foretold - really), ("sent, not foretold", really - foretold)))
        assert {step for _, _, step in foretold} == {step.name for rule in RULES for step in rule.steps} - {"halt"}  # each kind has its part
        assert sum(foretold.values()) > 3000
