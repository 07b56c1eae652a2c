"""`nurture report` against an independent computation over what `contact export` gives of the same random people."""
import collections
import csv
import datetime
import io
import math
import os
import random
import sqlite3

import pytest
from world import Folder
from world.nurture import Nurture, account

SEED = int(os.environ.get("NURTURE_REPORTS_SEED", "6"))
PEOPLE = int(os.environ.get("NURTURE_REPORTS_PEOPLE", "60"))
STAGES = ["research", "pitching", "negotiating", "follow-up", "lost"]
CUSTOMER = "follow-up"
START = datetime.datetime(2025, 1, 6, 8, tzinfo=datetime.timezone.utc)
UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
RULES = """
  { name = "after-pitch"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "3 days"; template = "pitch-1"; }, { after = "5 days"; template = "pitch-2"; } ); },
  { name = "ask-referral"; purpose = "referral"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "45 days"; template = "referral"; } ); repeat_every = "6 months"; },
  { name = "ask-again"; purpose = "referral"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "90 days"; template = "referral"; } ); }"""


def millis(at):
    return round(at.timestamp() * 1000)


def time_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


# ---- random people ---------------------------------------------------------------------------------------------------------

def import_stages(one, rng):
    """Each person moves through stages by several imports; some dates are put right later, some lie before the one before."""
    people = [f"p{number}@firm{number % 7}.example" for number in range(PEOPLE)]
    since = {email: START + rng.randrange(60) * DAY for email in people}
    for turn in range(5):
        rows = [["email", "stage", "stage_since", "owner", "deal"]]
        for number, email in enumerate(people):
            if turn and rng.random() < 0.35:
                continue
            since[email] += rng.choice((1, 3, 8, 20, 55, -4)) * DAY + rng.randrange(9) * DAY / 24
            stage = rng.choice(STAGES if turn else STAGES[:2])
            rows.append([email, stage, since[email].isoformat(), ("anna", "per", "")[number % 3], rng.choice(("", "1200", "2 500", "many"))])
        with open(one.folder / "people.csv", "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        one.run("import", one.folder / "people.csv")
    return people


class Writer:
    """What a daemon would have written in the months since."""

    def __init__(self, one, rng):
        self.rng = rng
        self.connection = sqlite3.connect(one.folder / "nurture.db")
        self.ids = dict(self.connection.execute("SELECT email, id FROM contact"))

    def history(self, email, at, kind, rule="", step="", variant="", detail=""):
        self.connection.execute(
            "INSERT INTO interaction (contact_id, at_ms, kind, account, rule, step, subject, text, full_text, message_id, detail, variant)"
            " VALUES (?, ?, ?, 'anna', ?, ?, '', 'x', '', '', ?, ?)", (self.ids[email], millis(at), kind, rule, step, detail, variant))

    def message(self, email, at, rule, step, variant, number, is_task):
        contact = self.ids[email]
        state = self.rng.choice(("sent",) * 6 + ("failed", "cancelled", "uncertain"))
        self.connection.execute("INSERT OR IGNORE INTO enrolment (contact_id, rule, round, state, stage, anchor_ms, next_step, due_ms, last_step_ms,"
                                " history_mark, enrolled_ms, ended_ms, end_reason) VALUES (?, ?, ?, 'done', '', 1, '', 0, 0, 0, 1, 1, '')", (contact, rule, number))
        enrolment = self.connection.execute("SELECT id FROM enrolment WHERE contact_id = ? AND rule = ? AND round = ?", (contact, rule, number)).fetchone()[0]
        name = f"{contact}.{rule}.{step}.{number}@x" if state != "cancelled" else ""
        self.connection.execute(
            "INSERT INTO outbox (enrolment_id, contact_id, account, rule, step, round, state, planned_ms, due_ms, attempts, message_id, message_key,"
            " in_reply_to, reference_ids, subject, reason, created_ms, sending_ms, ended_ms, is_task, variant)"
            " VALUES (?, ?, 'anna', ?, ?, ?, ?, 1, 0, 1, ?, ?, '', '', '', '', 1, ?, 1, ?, ?)",
            (enrolment, contact, rule, step, number, state, name, name, millis(at) if name else 0, int(is_task), variant))
        if state == "sent" and not is_task:
            self.history(email, at, "sent", rule, step, variant)
        for kind, chance in (("reply", 0.4), ("bounce", 0.1), ("unsubscribe", 0.05), ("complaint", 0.03)):
            while self.rng.random() < chance and not is_task:
                self.history(email, at + self.rng.randrange(1, 400) * DAY / 24, kind, rule, step, variant)


def write_messages(writer, people):
    rng = writer.rng
    for email in people:
        at = START + rng.randrange(40) * DAY
        for number in (1, 2):
            for rule, step in (("after-pitch", "pitch-1"), ("after-pitch", "pitch-2"), ("ask-referral", "referral"), ("ask-again", "referral")):
                if rng.random() < 0.6:
                    at += rng.randrange(1, 30) * DAY
                    variant = rng.choice(("pitch-1", "pitch-1b")) if step == "pitch-1" else ""
                    writer.message(email, at, rule, step, variant, number, is_task=step == "pitch-2" and rng.random() < 0.3)
        for kind in ("call", "meeting", "note", "sent", "reply", "reply"):
            if rng.random() < 0.3:
                writer.history(email, START + rng.randrange(400) * DAY, kind)


def write_referrals(writer, people):
    rng = writer.rng
    for number in range(PEOPLE // 2):
        referrer, friend = rng.sample(people, 2)
        state = rng.choice(("proposed", "accepted", "declined", "contacted", "customer", "customer", "lost"))
        writer.connection.execute(
            "INSERT OR IGNORE INTO referral (referrer_id, contact_id, address, name, state, evidence, message_id, rule, at_ms) VALUES (?, ?, ?, '', ?, '', '', ?, ?)",
            (writer.ids[referrer], writer.ids[friend] if state not in ("proposed", "declined") else None, friend, state,
             rng.choice(("ask-referral", "ask-again", "")), millis(START + rng.randrange(450) * DAY + number * DAY / 48)))


@pytest.fixture(scope="module")
def world():
    rng = random.Random(SEED)
    folder = Folder("nurture-reports-")
    smtp = '{ url = "smtp://127.0.0.1:9"; tls = "none"; }'
    one = Nurture(folder, accounts=account(smtp) + "," + account(smtp, name="Per", address="per@example.com"), rules=RULES)
    with open(one.config, "a", encoding="utf-8") as file:
        stages = ", ".join(f'"{stage}"' for stage in STAGES)
        file.write(f'pipeline = {{ stages = [ {stages} ]; customer_stage = "{CUSTOMER}"; }};\n')
    people = import_stages(one, rng)
    writer = Writer(one, rng)
    write_messages(writer, people)
    write_referrals(writer, people)
    writer.connection.commit()
    writer.connection.close()
    for email in people[:4]:
        one.run("suppression", "add", email)
    one.run("suppression", "add", "@firm6.example")
    for number, email in enumerate(people[::5]):
        one.run("task", "add", email, "call", "--due", ("2025-02-01", "2199-01-01", "none")[number % 3])
    for number in (1, 4, 5):
        one.run("task", "done", str(number))
    yield one, [one.json("contact", "export", email)[0] for email in people]
    folder.close()


# ---- the same by hand ------------------------------------------------------------------------------------------------------

def rounded_up(number):
    """To four places, halves upwards, as round() of C."""
    return math.floor(number * 1e4 + 0.5) / 1e4


def percentile(times, percent):
    """Nearest rank, in days."""
    ordered = sorted(times)
    return rounded_up(ordered[max(0, -(-len(ordered) * percent // 100) - 1)] / DAY) if ordered else None


def share(part, whole):
    return rounded_up(part / whole) if whole else None


def stays_of(person, end):
    """[stage, since, until or None] of one person, in the order in which it was written."""
    lines = sorted((entry["id"], entry) for entry in person["history"] if entry["kind"] == "stage")
    changes = [[line["detail"].split("->")[1].strip(), time_of(line["at"])] for _, line in lines]
    changes[-1][1] = time_of(person["contact"]["stage_since"])
    changes = [change for change in changes if change[1] < end]
    return [[stage, since, max(since, changes[number + 1][1]) if number + 1 < len(changes) else None]
            for number, (stage, since) in enumerate(changes)]


def owner_of(person):
    return person["contact"].get("owner", "") or "(none)"


def stages_by_hand(people, begin, end, now):
    rows = []
    for stage in STAGES:
        stays = [stay for person in people for stay in stays_of(person, end) if stay[0] == stage]
        ended = [until - since for _, since, until in stays if until and until >= begin]
        standing = [max(min(end, now) - since, datetime.timedelta()) for _, since, until in stays if not until]
        rows.append({"stage": stage, "now": len(standing), "entered": sum(stay[1] >= begin for stay in stays), "left": len(ended),
                     "median_days": percentile(ended, 50), "p90_days": percentile(ended, 90), "now_median_days": percentile(standing, 50)})
    return rows


def funnel_by_hand(people, begin, end):
    rows = []
    for place, stage in enumerate(STAGES):
        went, standing, leaked = [], 0, collections.Counter()
        for person in people:
            stays = stays_of(person, end)
            first = next((number for number, stay in enumerate(stays) if stay[0] == stage and stay[1] >= begin), None)
            if first is None:
                continue
            further = [stay for stay in stays[first + 1:] if place < STAGES.index(stay[0]) <= STAGES.index(CUSTOMER)]
            if further:
                went.append(max(further[0][1] - stays[first][1], datetime.timedelta()))
            elif stays[-1][0] == stage:
                standing += 1
            else:
                leaked[stays[-1][0]] += 1
        entered, most = len(went) + standing + sum(leaked.values()), max(leaked.values(), default=0)
        rows.append({"stage": stage, "entered": entered, "went_on": len(went), "standing": standing, "leaked": sum(leaked.values()),
                     "conversion": share(len(went), entered) if place < STAGES.index(CUSTOMER) else None,
                     "leaked_to": next((name for name in STAGES if most and leaked[name] == most), None), "median_days": percentile(went, 50)})
    return rows


def messages_of(person, begin, end):
    """(message, kind -> time to the first of its kind that came back)"""
    tried = [message for message in person["messages"] if message["state"] in ("sent", "failed") and not message.get("task")]
    found = []
    for message in tried:
        sent = time_of(message["sending_at"])
        if not begin <= sent < end:
            continue
        later = [time_of(other["sending_at"]) for other in person["messages"]
                 if (other["rule"], other["step"]) == (message["rule"], message["step"]) and other.get("sending_at") and time_of(other["sending_at"]) > sent]
        until = min(later, default=datetime.datetime.max.replace(tzinfo=UTC))
        back = {}
        for entry in person["history"]:
            at = time_of(entry["at"])
            if (entry["rule"], entry["step"]) == (message["rule"], message["step"]) and sent <= at < until:
                back[entry["kind"]] = min(back.get(entry["kind"], at - sent), at - sent)
        found.append((message, back))
    return found


def rules_by_hand(people, begin, end):
    groups = collections.defaultdict(list)
    for person in people:
        for message, back in messages_of(person, begin, end):
            groups[message["rule"], message["step"], message.get("variant", "")].append(back)
    return [{"rule": rule, "step": step, "variant": variant, "sent": len(backs), "replied": sum("reply" in back for back in backs),
             "reply_rate": share(sum("reply" in back for back in backs), len(backs)),
             "reply_median_days": percentile([back["reply"] for back in backs if "reply" in back], 50),
             "bounced": sum("bounce" in back for back in backs), "complained": sum("complaint" in back for back in backs),
             "unsubscribed": sum("unsubscribe" in back for back in backs)} for (rule, step, variant), backs in sorted(groups.items())]


def owners_by_hand(people, begin, end, now):
    rows = []
    for owner in ("anna", "Per", "(none)"):
        theirs = [person for person in people if owner_of(person) == owner]
        since = [time_of(person["contact"].get("customer_since")) for person in theirs if person["contact"].get("customer_since")]
        talks = collections.Counter(entry["kind"] for person in theirs for entry in person["history"]
                                    if not entry["rule"] and begin <= time_of(entry["at"]) < end)
        sent = [back for person in theirs for _, back in messages_of(person, begin, end)]
        # a task of a contact without owner is for whoever writes to them
        tasks = [task for person in people for task in person["tasks"] if task["owner"] == owner]
        still = [task for task in tasks if not task.get("done_at")]
        midnight = now.astimezone(datetime.timezone(datetime.timedelta(hours=1))).replace(hour=0, minute=0, second=0, microsecond=0)
        rows.append({"owner": owner, "contacts": sum(time_of(person["contact"]["created_at"]) < end for person in theirs),
                     "customers": sum(at < end for at in since), "new_customers": sum(begin <= at < end for at in since),
                     "sent": len(sent), "replied": sum("reply" in back for back in sent), "reply_rate": share(sum("reply" in back for back in sent), len(sent)),
                     "by_hand": talks["sent"], "calls": talks["call"], "meetings": talks["meeting"], "notes": talks["note"],
                     "tasks_open": len(still), "tasks_overdue": sum(bool(task["due_at"]) and time_of(task["due_at"]) < midnight for task in still),
                     "tasks_done": sum(begin <= time_of(task["done_at"]) < end for task in tasks if task.get("done_at"))})
    return rows


def quarter(at):
    local = at + datetime.timedelta(hours=2 if datetime.datetime(at.year, 3, 31, 1, tzinfo=UTC) <= at < datetime.datetime(at.year, 10, 31, 1, tzinfo=UTC) else 1)
    return f"{local.year}-Q{(local.month + 2) // 3}"


def asks_of(person, begin, end):
    """(rule, when, whether answered) of each round that something was sent of in the period."""
    found = []
    sent = [message for message in person["messages"] if message["state"] == "sent" and not message.get("task") and message["rule"].startswith("ask-")]
    for rule, number in sorted({(message["rule"], message["round"]) for message in sent}):
        times = [time_of(message["sending_at"]) for message in sent if (message["rule"], message["round"]) == (rule, number)]
        times = [at for at in times if begin <= at < end]
        if times:
            later = [time_of(message["sending_at"]) for message in sent if message["rule"] == rule and message["round"] > number]
            until = min(later, default=datetime.datetime.max.replace(tzinfo=UTC))
            found.append((rule, min(times), any(entry["kind"] == "reply" and entry["rule"] == rule and min(times) <= time_of(entry["at"]) < until
                                                for entry in person["history"])))
    return found


def referrals_by_hand(people, begin, end, by, deals):
    def group(rule, person, at):
        return {"rule": rule or "(none)", "owner": owner_of(person), "quarter": quarter(at)}.get(by, "all")

    since = {person["contact"]["email"]: time_of(person["contact"].get("customer_since")) for person in people}
    customers = [person for person in people if since[person["contact"]["email"]] and since[person["contact"]["email"]] < end and not person["contact"].get("suppressed")]
    names = {None: {"all"}, "rule": {"ask-referral", "ask-again"}, "owner": {owner_of(person) for person in customers}}.get(by, set())
    asks, referrals = collections.defaultdict(list), collections.defaultdict(list)
    for person in people:
        for rule, at, answered in asks_of(person, begin, end):
            asks[group(rule, person, at)].append((person, answered))
        for referral in person["referrals"]:
            at = time_of(referral["at"])
            if begin <= at < end:
                referrals[group(referral["rule"], person, at)].append(referral)
    rows = []
    for name in sorted(names | asks.keys() | referrals.keys()):
        could = customers
        if by == "owner":
            could = [person for person in customers if owner_of(person) == name]
        if by == "quarter":
            could = [person for person in customers if quarter(since[person["contact"]["email"]]) <= name]
        asked = {person["contact"]["email"] for person, _ in asks[name] if person in customers}
        turned = [referral for referral in referrals[name] if referral["state"] == "customer"]
        rows.append({"group": name, "customers": len(could), "asked": len(asked), "ask_rate": share(len(asked), len(could)), "asks": len(asks[name]),
                     "answered": sum(answered for _, answered in asks[name]), "answer_rate": share(sum(answered for _, answered in asks[name]), len(asks[name])),
                     "referrals": len(referrals[name]), "accepted": sum(referral["state"] not in ("proposed", "declined") for referral in referrals[name]),
                     "new_customers": len(turned), "conversion": share(len(turned), len(referrals[name])),
                     "value": sum(deals[referral["email"]] for referral in turned)})
    return rows


# ---- the comparison --------------------------------------------------------------------------------------------------------

PERIODS = [(), ("--from", "2025-03-01"), ("--from", "2025-02-15", "--to", "2025-09-01"), ("--to", "2025-06-30")]
OSLO = {"2025-03-01": "2025-02-28T23:00:00Z", "2025-02-15": "2025-02-14T23:00:00Z", "2025-09-01": "2025-08-31T22:00:00Z", "2025-06-30": "2025-06-29T22:00:00Z"}


def bounds(period, now):
    words = dict(zip(period[::2], period[1::2]))
    return (time_of(OSLO[words["--from"]]) if "--from" in words else datetime.datetime.min.replace(tzinfo=UTC),
            time_of(OSLO[words["--to"]]) if "--to" in words else now)


def rounded(rows):
    return [{key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()} for row in rows]


def without(rows, *keys):
    return [{key: value for key, value in row.items() if key not in keys} for row in rows]


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: " ".join(period) or "all")
class TestAgainstAnIndependentComputation:
    def test_stages(self, world, period):
        one, people = world
        now = datetime.datetime.now(UTC)
        want, got = stages_by_hand(people, *bounds(period, now), now), rounded(one.json("report", "stages", *period))
        assert without(got, "now_median_days") == without(want, "now_median_days")
        assert all(abs((a["now_median_days"] or 0) - (b["now_median_days"] or 0)) < 0.01 for a, b in zip(got, want))

    def test_funnel(self, world, period):
        one, people = world
        assert rounded(one.json("report", "funnel", *period)) == [dict(row) for row in funnel_by_hand(people, *bounds(period, datetime.datetime.now(UTC)))]

    def test_rules(self, world, period):
        one, people = world
        got = rounded(one.json("report", "rules", *period))
        assert got == rules_by_hand(people, *bounds(period, datetime.datetime.now(UTC)))
        assert got and any(row["replied"] for row in got)

    def test_owners(self, world, period):
        one, people = world
        now = datetime.datetime.now(UTC)
        got = sorted(rounded(one.json("report", "owners", *period)), key=lambda row: row["owner"])
        assert got == sorted(owners_by_hand(people, *bounds(period, now), now), key=lambda row: row["owner"])

    @pytest.mark.parametrize("by", [None, "rule", "owner", "quarter"])
    def test_referrals(self, world, period, by):
        one, people = world
        deals = {person["contact"]["email"]: {"1200": 1200, "2 500": 2500}.get(person["contact"]["attributes"].get("deal"), 0) for person in people}
        got = rounded(one.json("report", "referrals", "--value", "Deal", *period, *(["--by", by] if by else [])))
        assert all(row["referrals_per_ask"] == (round(row["referrals"] / row["asks"], 2) if row["asks"] else None) for row in got)
        assert without(got, "referrals_per_ask") == referrals_by_hand(people, *bounds(period, datetime.datetime.now(UTC)), by, deals)


def test_of_one_owner(world):
    one, people = world
    theirs = [person for person in people if owner_of(person) == "Per"]
    now = datetime.datetime.now(UTC)
    assert rounded(one.json("report", "funnel", "--owner", "per")) == funnel_by_hand(theirs, *bounds((), now))
    assert rounded(one.json("report", "rules", "--owner", "Per")) == rules_by_hand(theirs, *bounds((), now))
    assert [row["owner"] for row in one.json("report", "owners", "--owner", "Per")] == ["Per"]


@pytest.mark.parametrize("name", ["funnel", "stages", "rules", "owners", "referrals"])
def test_forms(world, name):
    """The same numbers as JSON and CSV, and a table with bars as long as its numbers."""
    one, _ = world
    objects = one.json("report", name)
    rows = list(csv.DictReader(io.StringIO(one.run("report", name, "--csv").stdout)))
    assert len(rows) == len(objects)
    for row, found in zip(rows, objects):
        assert row == {key: "" if value is None else value if isinstance(value, str) else f"{value:.15g}" for key, value in found.items()}
    table = one.run("report", name).stdout.splitlines()
    assert len(table) == len(objects) + 1 and max(line.count("█") for line in table) == 20
    narrow = one.run("report", name, check=True).stdout
    assert "\033" not in narrow


@pytest.mark.parametrize("words,status,what", [
    (["funnel", "--from", "2025-03-01", "--to", "2025-03-01"], 1, "--to"),
    (["funnel", "--from", "2199-01-01"], 1, "--from"),
    (["funnel", "--from", "soon"], 1, "--from"),
    (["funnel", "--owner", "nobody"], 1, "nobody"),
    (["funnel", "--by", "rule"], 2, "--by"),
    (["referrals", "--by", "month"], 2, "quarter"),
    (["rules", "--csv", "--json"], 2, "not both"),
    (["lunch"], 2, "lunch"),
    ([], 2, "no command"),
])
def test_what_cannot_be_taken_is_told(world, words, status, what):
    result = world[0].run("report", *words, check=False)
    assert result.returncode == status and what in result.stderr and result.stdout == ""


def test_nothing_yet():
    folder = Folder("nurture-reports-")
    one = Nurture(folder, accounts=account('{ url = "smtp://127.0.0.1:9"; tls = "none"; }'), rules=RULES)
    assert "does not exist" in one.run("report", "funnel", check=False).stderr
    one.run("contact", "add", "kari@fjord.example")
    assert [row["now"] for row in one.json("report", "stages")][:2] == [1, 0]
    assert "nothing to report" in one.run("report", "rules").stdout
    assert one.json("report", "referrals")[0]["ask_rate"] is None
    folder.close()
