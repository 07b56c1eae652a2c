"""The reference scheduler: who gets what when, said as simply as it can be said, one thing after the other, with nothing of the program's.

A Reference has contacts, a configuration and a time. run() lets the time pass, fact() tells what happened at the present one, and sent
is what left: (instant, address, step). Time goes from one thing that is due to the next; at each, those whom a fact or the time has
touched are decided on, then steps that are due are queued, then what is queued leaves or waits for its gates.
"""
import dataclasses
import datetime
import itertools

from times import DAY, NEVER, Duration, add, first_moment, opens, plus_months, subtract, wall

PASSED = 0
MOST_ROUNDS = 2000


@dataclasses.dataclass
class Enrolment:
    contact: object
    rule: str
    number: int
    anchor: int
    enrolled: int
    stage: str
    mark: int              # the newest event when they entered
    active: bool = True
    reason: str = ""       # why it ended
    step: str = ""         # the next one
    due: int = 0           # 0: its message is queued
    last: int = 0          # when the step before left, or was due
    withdrawn: str = ""    # the step that waited in the queue when they left: it is to come when they are back
    id: int = 0


@dataclasses.dataclass
class Message:
    id: int
    enrolment: Enrolment
    step: object
    priority: int
    planned: int
    due: int               # NEVER: waits for a change
    awaits: bool           # a person's yes


class Reference:
    def __init__(self, rules, sending, now):
        self.rules, self.sending, self.now = rules, sending, now
        self.contacts, self.enrolments, self.queue = {}, {}, []  # enrolments: (address, rule) -> the newest round
        self.decided, self.events, self.marked, self.edges = {}, {}, [], {}
        self.count, self.ids, self.sent, self.skipped = 0, itertools.count(1), [], []

    # ---- facts ----

    def add_contact(self, contact):
        self.contacts[contact.email] = contact
        self.events[contact.email] = []
        self.marked.append(contact.email)

    def fact(self, email, event="", tag=""):
        """Something about the contact has changed; an event is what stop_on may name."""
        if event:
            self.count += 1
            self.events[email].append((self.count, event, tag))
        company = self.contacts[email].company
        self.marked += [email] + [other.email for other in self.contacts.values() if company and other.company == company]

    def approve(self, message):
        message.awaits, message.planned, message.due = False, max(message.planned, self.now), self.now

    def reload(self, rules, sending):
        self.rules, self.sending = rules, sending
        self.marked += list(self.contacts)

    # ---- time ----

    def run(self, until):
        """All that is due before until; then it is that time."""
        self._moment()
        while (at := self._next()) < until:
            self.now = at
            self._moment()
        self.now = until

    def settle(self):
        self._moment()

    def _next(self):
        times = [e.due for e in self.enrolments.values() if e.active and e.due] + [m.due for m in self.queue] + list(self.edges.values())
        return min(times, default=NEVER)

    def _moment(self):
        busy = True
        while busy:
            busy = False
            self.marked += [email for email, at in self.edges.items() if at <= self.now]
            while self.marked:
                self._decide(self.contacts[self.marked.pop(0)])
                busy = True
            due = sorted((e for e in self.enrolments.values() if e.active and 0 < e.due <= self.now), key=lambda e: (e.due, e.id))
            for enrolment in due:
                self._steps_due(enrolment)
                busy = True
            ready = sorted((m for m in self.queue if m.due <= self.now), key=lambda m: (-m.priority, m.due, m.id))
            for message in ready:
                self._claim(message)
                busy = True

    # ---- the configuration seen from a contact ----

    def zone(self, contact):
        return contact.zone or self.sending.zone

    def holidays(self, contact):
        return self.sending.holidays_of(contact)

    def rule(self, name):
        return next((rule for rule in self.rules if rule.name == name), None)

    def window(self, rule):
        return rule.window or self.sending.window

    def anchor(self, contact, rule, number=1):
        first = contact.stage_since if rule.anchor == "stage" else contact.customer_since
        return add(self.zone(contact), first, rule.repeat_every, self.holidays(contact), number - 1) if number > 1 and first else first

    def holds(self, contact, rule, enrolled, now):
        zone, holidays = self.zone(contact), self.holidays(contact)

        def asked(conditions):
            return [c.holds(contact, zone, holidays, now, False) for c in conditions if not enrolled or c.kind not in ("replied", "not_contacted")]
        return bool(self.anchor(contact, rule)) and all(asked(rule.when)) and not any(asked(rule.unless))

    def until(self, contact, rule):
        if not rule.until:
            return NEVER
        if isinstance(rule.until, Duration):
            return add(self.zone(contact), self.anchor(contact, rule), rule.until, self.holidays(contact))
        return first_moment(self.zone(contact), rule.until + datetime.timedelta(days=1)) - 1

    def due(self, contact, rule, step, anchor, last):
        zone, holidays = self.zone(contact), self.holidays(contact)
        begin = last or anchor if step.timing != "age" else anchor
        if begin >= NEVER:
            return NEVER
        wanted = add(zone, begin, step.delay, holidays)
        if step.at is not None and step.delay and step.delay.unit != "hours":  # whole days, and a time of day: that day at that time
            wanted = first_moment(zone, wall(zone, wanted).date())
        wanted = max(wanted, anchor)
        if step.date:
            wanted = self._wanted_date(contact, step, anchor, wanted)
        if wanted in (PASSED, NEVER):
            return wanted
        window = self.window(rule)
        return opens(zone, window.narrowed(step.on, None), holidays, wanted, step.at)

    def _wanted_date(self, contact, step, anchor, wanted):
        """From when on, with the step's date: it is days that are compared."""
        zone = self.zone(contact)
        day, year, once = wall(zone, wanted).date(), None, False
        if step.date == "anniversary":
            first = wall(zone, anchor).date()
            month_day, year = (first.month, first.day), first.year + 1
        elif isinstance(step.date, tuple):
            month_day = step.date
        else:
            given = step.date if isinstance(step.date, datetime.date) else self._attribute_date(contact, step.date)
            if given is None:
                return NEVER
            once = isinstance(given, datetime.date) and not step.yearly
            month_day = (given.month, given.day) if isinstance(given, datetime.date) else given
            year = given.year if once else None
        for candidate in [year] if once else range(year or day.year - 1, day.year + 10):
            at, moved = self._before(zone, plus_months(datetime.date(candidate, month_day[0], 1), 0), month_day[1], step.before)
            if moved >= day:
                return max(at, wanted)
        return PASSED

    @staticmethod
    def _attribute_date(contact, name):
        """A date, (month, day), or None."""
        value = contact.attributes.get(name, "")
        try:
            return datetime.date.fromisoformat(value) if len(value) == 10 else (int(value[:2]), int(value[3:])) if len(value) == 5 else None
        except ValueError:
            return None

    @staticmethod
    def _before(zone, first_of_month, number, before):
        """(from when on, the local day of it) for that day of the month, or its last one."""
        last = plus_months(first_of_month, 1) - datetime.timedelta(days=1)
        day = min(first_of_month + datetime.timedelta(days=number - 1), last)
        if not before:
            return first_moment(zone, day), day
        if before.unit == "hours":
            at = subtract(zone, first_moment(zone, day), before)
            return at, wall(zone, at).date()
        if before.unit == "months":
            day = plus_months(day, -before.number)
        else:
            day -= datetime.timedelta(days=before.number * (7 if before.unit == "weeks" else 1))
        return first_moment(zone, day), day

    # ---- deciding ----

    def _decide(self, contact):
        for rule in self.rules:
            self._decide_rule(contact, rule)
        for (email, name), enrolment in self.enrolments.items():
            if email == contact.email and enrolment.active and not self.rule(name):
                self._end(enrolment, "rule removed")
        for message in self.queue:
            if message.enrolment.contact is contact and message.due > self.now and not message.awaits:
                message.due = self.now
        self.edges.pop(contact.email, None)
        changes = [at for rule in self.rules if (at := self._changes(contact, rule))]
        if changes:
            self.edges[contact.email] = min(changes)

    def _changes(self, contact, rule):
        """When time alone gives the rule's conditions another answer; None: it does not."""
        zone, holidays = self.zone(contact), self.holidays(contact)
        enrolment = self.enrolments.get((contact.email, rule.name))
        enrolled = enrolment is not None and enrolment.active
        now = self.holds(contact, rule, enrolled, self.now)
        edges = sorted({at for c in rule.when + rule.unless for at in c.edges(contact, zone, holidays) if self.now < at < NEVER})
        return next((at for at in edges if self.holds(contact, rule, enrolled, at) != now), None)

    def _decide_rule(self, contact, rule):
        enrolment = self.enrolments.get((contact.email, rule.name))
        active = enrolment is not None and enrolment.active
        holds = self.holds(contact, rule, active, self.now)
        if active:
            reason = self._stop_reason(contact, rule, enrolment) or ("" if holds else "conditions")
            if reason:
                self._end(enrolment, reason)
            elif enrolment.due:
                self._refresh(contact, rule, enrolment)
        elif holds and enrolment is None:
            self._begin(contact, rule, self._first_round(contact, rule))
        elif holds and enrolment.reason == "done":  # the rule may have come to repeat
            self._next_round(contact, rule, enrolment)
        elif holds and enrolment.reason in ("conditions", "stage-change", "rule removed") and enrolment.stage == contact.stage:
            meanwhile = self._stop_reason(contact, rule, enrolment, besides="stage-change")  # by which they came back
            if meanwhile:
                enrolment.reason = meanwhile
                return
            enrolment.active, enrolment.mark, enrolment.reason = True, self.count, ""
            if enrolment.withdrawn:
                self.decided[contact.email, rule.name, enrolment.number].remove(enrolment.withdrawn)
            self._refresh(contact, rule, enrolment)

    def _stop_reason(self, contact, rule, enrolment, besides=""):
        people = [contact.email]
        if rule.scope_company and contact.company:
            people += [other.email for other in self.contacts.values() if other.company == contact.company and other is not contact]
        for email in people:
            for number, event, tag in self.events[email]:
                if number > enrolment.mark and event != besides and (event in rule.stop_on or event == "tag" and f"tag:{tag}" in rule.stop_on):
                    return event if email == contact.email else "a colleague's " + event
        return ""

    def _end(self, enrolment, reason):
        enrolment.active, enrolment.reason, enrolment.due = False, reason, 0
        enrolment.withdrawn = next((m.step.name for m in self.queue if m.enrolment is enrolment), "")
        self.queue = [m for m in self.queue if m.enrolment is not enrolment]

    def _refresh(self, contact, rule, enrolment):
        decided = self.decided.setdefault((contact.email, rule.name, enrolment.number), [])
        enrolment.anchor = self.anchor(contact, rule, enrolment.number)
        names = [step.name for step in rule.steps]
        last = names.index(decided[-1]) if decided and decided[-1] in names else -1
        step = next((step for step in rule.steps[last + 1:] if step.name not in decided), None)
        if step:
            self._wait_for(contact, rule, enrolment, step)
        else:
            self._finish(enrolment)
            self._next_round(contact, rule, enrolment)

    def _finish(self, enrolment, reason=""):
        enrolment.active, enrolment.reason, enrolment.due, enrolment.step = False, reason or "done", 0, ""

    def _wait_for(self, contact, rule, enrolment, step):
        due = self.due(contact, rule, step, enrolment.anchor, enrolment.last)
        if due != NEVER and due > self.until(contact, rule):
            self._finish(enrolment, "until")
            return
        enrolment.step, enrolment.due = step.name, max(enrolment.anchor, self.now) if due == PASSED else due

    def _begin(self, contact, rule, number):
        enrolment = Enrolment(contact, rule.name, number, self.anchor(contact, rule, number), self.now, contact.stage, self.count)
        self._wait_for(contact, rule, enrolment, rule.steps[0])
        if enrolment.active:
            enrolment.id = next(self.ids)
            self.enrolments[contact.email, rule.name] = enrolment

    def _first_round(self, contact, rule):
        """The first that still has something to send."""
        number = 1
        if not rule.repeat_every:
            return number
        while not rule.repeat_max or number < rule.repeat_max:
            anchor, last = self.anchor(contact, rule, number), 0
            for step in rule.steps:
                due = self.due(contact, rule, step, anchor, last)
                last = max(last, anchor) if due == PASSED else due
            if self.now <= self._last_moment(contact, last):
                break
            number += 1
        return number

    def _next_round(self, contact, rule, done):
        """The first that begins behind the end of the one that is done."""
        if not rule.repeat_every:
            return
        number = max(done.number + 1, self._first_round(contact, rule))
        while number <= (rule.repeat_max or done.number + MOST_ROUNDS):
            anchor = self.anchor(contact, rule, number)
            due = self.due(contact, rule, rule.steps[0], anchor, 0)
            if (anchor if due == PASSED else due) > done.last:
                self._begin(contact, rule, number)
                return
            number += 1

    # ---- steps ----

    def _steps_due(self, enrolment):
        contact, rule = enrolment.contact, self.rule(enrolment.rule)
        while enrolment.active and 0 < enrolment.due <= self.now:
            step = next(step for step in rule.steps if step.name == enrolment.step)
            decided = self.decided.setdefault((contact.email, rule.name, enrolment.number), [])
            due, passed = enrolment.due, self.due(contact, rule, step, enrolment.anchor, enrolment.last) == PASSED
            if self.now > self.until(contact, rule):
                self._end(enrolment, "until")
            elif step.name in decided:
                self._move_on(enrolment, due)
            elif passed or self._is_late(contact, due) or not self._is_met(contact, step):
                decided.append(step.name)
                self.skipped.append((self.now, contact.email, step.name))
                self._move_on(enrolment, due)
            else:
                decided.append(step.name)
                enrolment.due = 0
                self.queue.append(Message(next(self.ids), enrolment, step, rule.priority, due, NEVER if step.approve else due, step.approve))

    def _last_moment(self, contact, planned):
        late = self.sending.max_late
        return add(self.zone(contact), planned, late, self.holidays(contact)) if late else NEVER

    def _is_late(self, contact, planned):
        return self.now > self._last_moment(contact, planned)

    def _is_met(self, contact, step):
        return all(c.holds(contact, self.zone(contact), self.holidays(contact), self.now, False) for c in step.conditions)

    def _move_on(self, enrolment, at):
        contact, rule = enrolment.contact, self.rule(enrolment.rule)
        names = [step.name for step in rule.steps]
        index = names.index(enrolment.step) + 1 if enrolment.step in names else 0
        enrolment.last = at
        if index < len(names):
            self._wait_for(contact, rule, enrolment, rule.steps[index])
            return
        self._finish(enrolment)
        self._next_round(contact, rule, enrolment)

    # ---- leaving ----

    def _claim(self, message):
        contact, rule = message.enrolment.contact, self.rule(message.enrolment.rule)
        message.step = next((step for step in rule.steps if step.name == message.step.name), None)
        if not message.step:  # taken out of the rule meanwhile
            self.queue.remove(message)
            self._move_on(message.enrolment, self.now)
            return
        if self.now > self.until(contact, rule):
            self._end(message.enrolment, "until")
            return
        if self._is_late(contact, message.planned):
            self._leave_out(message)
            return
        leaves = self._leaves(contact, rule, message.step)
        if leaves > self.now:
            message.due = min(leaves, self._last_moment(contact, message.planned) + 1)
            return
        if not self._is_met(contact, message.step):
            self._leave_out(message)
            return
        self.queue.remove(message)
        self.sent.append((self.now, contact.email, message.step.name))
        if not message.step.is_task:
            contact.tries.append(self.now)
            if any(c.kind == "not_contacted" for rule in self.rules for c in rule.when + rule.unless):
                self.marked.append(contact.email)
        self._move_on(message.enrolment, self.now)

    def _leave_out(self, message):
        self.queue.remove(message)
        self.skipped.append((self.now, message.enrolment.contact.email, message.step.name))
        self._move_on(message.enrolment, message.planned)

    def _leaves(self, contact, rule, step):
        free = self._free_from(contact, step)
        return NEVER if free >= NEVER else opens(self.zone(contact), self.window(rule).narrowed(step.on, step.at), self.holidays(contact), free)

    def _free_from(self, contact, step):
        """When nothing but the window keeps a message from the contact."""
        zone, holidays, sending = self.zone(contact), self.holidays(contact), self.sending
        times = [self.now, contact.paused_until]
        if not step.is_task:
            if contact.tries and sending.min_gap:
                times.append(add(zone, contact.tries[-1], sending.min_gap, holidays))
            if contact.last_talk and sending.quiet:
                times.append(add(zone, contact.last_talk, sending.quiet, holidays))
            for period, most in sending.max_per.items():
                if len(contact.tries) >= most:
                    nth = contact.tries[-most]
                    times.append({"day": nth + DAY, "week": nth + 7 * DAY}.get(period) or add(zone, nth, Duration(1, "months"), holidays))
        return max(times)
