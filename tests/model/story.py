"""A history told to the program and to the reference scheduler alike: the real daemon on a fast virtual clock, facts by the commands that
people type, restarts, kills, and rules that are edited.

The clock is held where a story wants it by a message whose answer the sink keeps back: a marker, a contact of its own with a rule of its
own for each halt. So each fact happens at a time that is known to the millisecond, and a seed tells the same story again.
"""
import collections
import copy
import email
import email.utils
import sqlite3

from generate import OWNERS, PLANS, TAGS, WEEK, ZONES, Generator, describe, duration, start_of, window
from program import Program, told_by
from reference import Reference
from rules import CUSTOMER_STAGE, STAGES, Condition, Contact, Rule, Step, csv_text
from times import DAY, MINUTE, NEVER, Duration, Window, text_of

from world import Folder, wait_for
from world.sink import Sink

MARKERS = "Markers"  # their company
SPEED = "10000000"
STILL = "0.000001"


def is_marker(recipients, _mail=b""):
    return recipients[0].endswith("@marker.example")


class Story:
    def __init__(self, rng, people, halts, days):
        self.rng, self.now = rng, start_of(rng)
        self.generator = Generator(rng, self.now)
        self.halts = sorted(self.now + rng.randrange(1, days * 1440) * MINUTE for _ in range(halts))
        self.halts = [at + 1000 * (n + 1) for n, at in enumerate(self.halts)]  # each at a second of its own: nothing else is due then
        self.sending = self.generator.sending()
        if self.sending.holidays:
            self.sending.holidays["ZZ"] = frozenset()
        self.rules = [self.guarded(rule) for rule in self.generator.rules(rng.randint(3, 6), self.sending)]
        self.folder, self.sink = Folder("nurture-story-"), Sink(is_marker)
        self.program = Program(self.folder, self.sink.port)
        self.reference = Reference(self.rules, self.sending, self.now)
        self.told, self.new = [], 0  # what happened, for a test that fails
        for contact in self.generator.contacts(people):
            self.reference.add_contact(contact)

    def guarded(self, rule):
        """None of the story's rules is for markers; some of their steps want a yes."""
        for step in rule.steps:
            step.approve = self.rng.random() < 0.1
        for condition in rule.unless:
            if condition.kind == "company":
                condition.wanted = [*condition.wanted, MARKERS]
                return rule
        rule.unless.append(Condition("company", [MARKERS]))
        return rule

    # ---- markers ----

    def marker_rules(self):
        begin = self.now - DAY
        return [Rule(f"halt-{n}", "customer", [Condition("tag", [f"halt-{n}"])], [], [Step("halt", "age", Duration((at - begin) // 1000, "seconds"))],
                     ["reply"], 100, Window(WEEK, 0, 1440)) for n, at in enumerate(self.halts)]

    def markers(self, begin):
        return [Contact(f"halt-{n}@marker.example", "UTC", CUSTOMER_STAGE, begin, begin, company=MARKERS, tags=[f"halt-{n}"], attributes={"country": "ZZ"})
                for n in range(len(self.halts))]

    # ---- the daemon ----

    def begin(self):
        """Everybody is brought in at the first moment, while the clock stands."""
        self.halt_rules = self.marker_rules()
        self.write()
        self.program.start("--clock", text_of(self.now), "--speed", STILL)
        self.program.bring_in([*self.reference.contacts.values(), *self.markers(self.now - DAY)])
        self.settle()
        self.restart(self.now)

    def write(self):
        self.program.write([*self.rules, *self.halt_rules], self.sending)

    def settle(self):
        """Until nothing is left to decide or to send at this moment, but the marker that holds it; the reference does the same."""
        def idle():
            with sqlite3.connect(f"file:{self.folder / 'nurture.db'}?mode=ro", uri=True) as store:
                return store.execute("SELECT NOT EXISTS (SELECT 1 FROM mark)"
                                     " AND NOT EXISTS (SELECT 1 FROM enrolment_due WHERE due_ms <= $1)"
                                     " AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'queued' AND due_ms > 0 AND due_ms <= $1)"
                                     " AND NOT EXISTS (SELECT 1 FROM outbox WHERE state = 'sending' AND step <> 'halt')", (self.now,)).fetchone()[0]
        wait_for(idle, 30, what=lambda: "nothing is left to do: " + self.program.log_text()[-3000:], every=0.002)
        self.reference.settle()

    def restart(self, at, kill=False):
        """The daemon is down until then; everything that was due meanwhile is looked at when it comes back. The clock may have been set back."""
        if kill:
            self.program.kill()
            self.sink.release()
        else:
            self.end()
        self.sink.answer = type(self.sink.answer)(0)  # nothing is left of the release where no marker waited
        self.now = self.reference.now = at
        self.program.start("--clock", text_of(at), "--speed", SPEED, wait=False)

    def end(self):
        """The daemon is told to end, and only then comes the answer that it waits for."""
        self.program.process.terminate()
        wait_for(lambda: "event=stopping" in self.program.log_text().rpartition("event=started")[2], 10)
        self.sink.release()
        assert self.program.process.wait(30) == 0, self.program.log_text()
        self.program.process = None

    def close(self):
        self.program.stop()
        self.sink.close()
        self.folder.close()

    # ---- the story ----

    def tell(self):
        self.begin()
        for n, at in enumerate(self.halts):
            self.sink.wait_held(what=lambda: "\n".join([text_of(at), *self.told[-5:], self.program.run("status").stdout, self.program.log_text()[-3000:]]))
            self.now = at
            self.reference.run(at)
            self.settle()
            for _ in range(self.rng.randint(0, 6)):
                self.fact()
                self.settle()
            if n + 1 < len(self.halts) and self.rng.random() < 0.3:
                gap = self.rng.choice([0, 0, self.rng.randrange(60), self.rng.randrange(4 * 1440), -self.rng.randrange(120)]) * MINUTE
                self.restart(max(at + min(gap, 0), min(at + gap, self.halts[n + 1] - MINUTE)), self.rng.random() < 0.5)
            elif n + 1 < len(self.halts):
                self.sink.release()
        self.end()

    def fact(self):
        kinds = [self.talk, self.talk, self.stage, self.stage, self.tag, self.tag, self.change, self.change, self.pause, self.approve, self.newcomers, self.edit]
        self.rng.choice(kinds)(self.rng.choice(list(self.reference.contacts.values())))

    def do(self, *command):
        self.told.append(f"{text_of(self.now)} nurture {' '.join(command)}")
        self.program.run(*command)

    def talk(self, contact):
        kind = self.rng.choice(["note", "call", "meeting"])
        self.do("log", contact.email, kind, "model")
        if kind != "note":
            contact.last_talk = self.now
        self.reference.fact(contact.email, kind)

    def stage(self, contact):
        stage = self.rng.choice([stage for stage in STAGES if stage != contact.stage])
        self.do("contact", "stage", contact.email, stage)
        contact.stage, contact.stage_since = stage, self.now
        if stage == CUSTOMER_STAGE and not contact.customer_since:
            contact.customer_since = self.now
        self.reference.fact(contact.email, "stage-change")

    def tag(self, contact):
        tag = self.rng.choice(TAGS)
        added = tag not in contact.tags
        self.do("contact", "tag", contact.email, ("+" if added else "-") + tag)
        contact.tags = [*contact.tags, tag] if added else [other for other in contact.tags if other != tag]
        self.reference.fact(contact.email, "tag" if added else "", tag)

    def change(self, contact):
        rng = self.rng
        what = rng.choice(["zone", "owner", "plan", "renewal", "seats"])
        if what == "zone":
            contact.zone = rng.choice(ZONES)
            self.do("contact", "set", contact.email, "--time-zone", contact.zone)
        elif what == "owner":
            contact.owner = rng.choice(OWNERS)
            self.do("contact", "set", contact.email, "--owner", contact.owner)
        else:
            value = {"plan": rng.choice(PLANS), "renewal": self.generator.renewal(), "seats": str(rng.randint(0, 12))}[what]
            contact.attributes[what] = value
            self.do("contact", "set", contact.email, "--attribute", f"{what}={value}")
        self.reference.fact(contact.email)

    def pause(self, contact):
        if contact.paused_until > self.now:
            self.do("contact", "resume", contact.email)
            contact.paused_until = 0
        elif self.rng.random() < 0.3:
            self.do("contact", "pause", contact.email)
            contact.paused_until = NEVER
        else:
            contact.paused_until = self.now // 1000 * 1000 + self.rng.randrange(1, 20 * 1440) * MINUTE
            self.do("contact", "pause", contact.email, "--until", text_of(contact.paused_until))
        self.reference.fact(contact.email)

    def approve(self, _contact):
        """One of the messages that wait for it."""
        waiting = [message for message in self.reference.queue if message.awaits]
        if not waiting:
            return
        message = self.rng.choice(waiting)
        key = (message.enrolment.contact.email, message.step.name, "held")
        row, = [row for row in self.program.json("queue") if (row["contact"], row["step"], row["state"]) == key]
        self.do("queue", "approve", str(row["id"]))
        self.reference.approve(message)

    def newcomers(self, _contact):
        """An import of some who are new, some of them customers of long ago."""
        self.generator.now = self.now
        people = [self.generator.contact(f"n{self.new + n}@kunde.example") for n in range(self.rng.randint(1, 4))]
        self.new += len(people)
        self.told.append(f"{text_of(self.now)} import\n{csv_text(people)}")
        self.program.bring_in(people)
        for contact in people:
            self.reference.add_contact(contact)

    # ---- rules that are edited ----

    def edit(self, _contact):
        self.rules = copy.deepcopy(self.rules)
        kinds = [self.edit_delay, self.edit_steps, self.edit_window, self.edit_when, self.edit_rules, self.edit_sending]
        self.rng.choice(kinds)(self.rng.choice(self.rules))
        self.write()
        self.do("reload")
        self.told.append("\n".join(rule.text() for rule in self.rules))
        self.reference.reload(self.rules, self.sending)

    def edit_delay(self, rule):
        rule.until = None  # the step may have come to lie behind it
        step = self.rng.choice(rule.steps)
        if step.timing == "after":
            step.delay = duration(self.rng, 20)

    def edit_steps(self, rule):
        rule.until = None
        if len(rule.steps) > 1 and self.rng.random() < 0.5:
            rule.steps.remove(self.rng.choice(rule.steps))
        else:
            self.generator.names += 1
            rule.steps.insert(self.rng.randint(0, len(rule.steps)), Step(f"s{self.generator.names}", delay=duration(self.rng, 20)))

    def edit_window(self, rule):
        if any(step.on or step.at is not None for step in rule.steps):  # their days and times must stay inside
            return
        rule.window = self.rng.choice([None, window(self.rng)])

    def edit_when(self, rule):
        condition = self.generator.condition()
        rule.when = self.generator.distinct([*rule.when, condition])

    def edit_rules(self, rule):
        if len(self.rules) > 2 and self.rng.random() < 0.5:
            self.rules.remove(rule)
        else:
            self.new += 1
            self.rules.append(self.guarded(self.generator.rule(f"x{self.new}", self.sending)))

    def edit_sending(self, _rule):
        self.sending = copy.copy(self.sending)
        self.sending.min_gap = self.rng.choice([Duration(0, "days"), Duration(3, "days")])

    # ---- what came of it ----

    def mine(self):
        return sorted((who, step, at) for at, who, step in self.reference.sent)

    def theirs(self):
        """By the mails themselves: Date is the time of the claim, in whole seconds."""
        return sorted((*told_by(mail), round(email.utils.parsedate_to_datetime(email.message_from_bytes(mail)["Date"]).timestamp()) * 1000)
                      for _, mail in self.sink.mails)

    def differences(self):
        """"" where both agree to the minute; else the first three contacts of whom they do not, and the whole story."""
        mine, theirs = self.mine(), self.theirs()
        if len(mine) == len(theirs) and all(a[:2] == b[:2] and abs(a[2] - b[2]) < MINUTE for a, b in zip(mine, theirs)):
            return ""
        minutes = [collections.Counter((*key, at // MINUTE) for *key, at in found) for found in (mine, theirs)]
        off, lines = sorted({who for who, _, _ in (minutes[0] - minutes[1]) + (minutes[1] - minutes[0])}), []
        for who in off[:3]:
            lines.append(describe(self.reference.contacts[who]))
            for name, found in (("nurture", theirs), ("reference", mine)):
                lines.append(f"  {name}: " + ", ".join(f"{text_of(at)} {step}" for other, step, at in found if other == who))
        with open(self.program.config, encoding="utf-8") as config:
            return f"{len(off)} contacts differ\n" + "\n".join(lines + self.told) + "\n" + config.read()
