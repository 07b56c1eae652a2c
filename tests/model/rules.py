"""Rules and contacts of the model: as data that the reference scheduler reads, and as the configuration and CSV that the program reads."""
import dataclasses
import datetime

from times import NEVER, Duration, Window, add, text_of

DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
STAGES = ["research", "prospecting", "connecting", "qualifying", "pitching", "objections", "negotiating", "follow-up"]
CUSTOMER_STAGE = "follow-up"


def clock_text(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def window_text(window):
    days = ",".join(DAY_NAMES[day] for day in sorted(window.days))
    return f'{{ days = "{days}"; from = "{clock_text(window.start)}"; to = "{clock_text(window.end)}"; }}'


def list_text(words):
    return "[ " + ", ".join(f'"{word}"' for word in words) + " ]"


@dataclasses.dataclass
class Condition:
    """kind: stage, customer, customer_age, stage_age, tag, owner, company, language, attribute, not_contacted, replied. What it wants
    depends on it: words, a bool, two durations (either may be None), a duration."""
    kind: str
    wanted: object
    attribute: str = ""

    def text(self):
        if self.kind == "attribute":
            return f"attributes = {{ {self.attribute} = {self._value()}; }};"
        return f"{self.kind} = {self._value()};"

    def _value(self):
        wanted = self.wanted
        if isinstance(wanted, bool):
            return "true" if wanted else "false"
        if isinstance(wanted, list):
            return list_text(wanted) if len(wanted) > 1 else f'"{wanted[0]}"'
        if isinstance(wanted, Duration):
            return f"{{ for = {wanted}; }}"
        low, high = wanted
        return "{ " + (f"min = {low}; " if low is not None else "") + (f"max = {high}; " if high is not None else "") + "}"

    def _since(self, contact):
        return contact.customer_since if self.kind == "customer_age" else contact.stage_since

    def edges(self, contact, zone, holidays):
        """The instants at which time alone changes the answer."""
        if self.kind in ("customer_age", "stage_age") and self._since(contact):
            return [add(zone, self._since(contact), bound, holidays) for bound in self.wanted if bound is not None]
        if self.kind == "not_contacted" and contact.contacted():
            return [add(zone, contact.contacted(), self.wanted, holidays)]
        return []

    def holds(self, contact, zone, holidays, now, enrolled):
        """enrolled: asked for somebody who is in the rule; then it does not matter any more whether they were contacted."""
        wanted = self.wanted
        if self.kind in ("customer_age", "stage_age"):
            since = self._since(contact)
            low, high = (add(zone, since, bound, holidays) if bound is not None else default for bound, default in zip(wanted, (since, NEVER)))
            return bool(since) and low <= now < high
        if self.kind == "not_contacted":
            return enrolled or not contact.contacted() or add(zone, contact.contacted(), wanted, holidays) <= now
        if self.kind == "replied":
            return wanted is False or enrolled
        if self.kind == "attribute":
            return self._attribute_holds(contact.attributes.get(self.attribute, ""))
        if self.kind == "customer":
            return bool(contact.customer_since) == wanted
        have = {"stage": [contact.stage], "tag": contact.tags, "owner": [contact.owner], "company": [contact.company], "language": [contact.language]}
        return bool({word.casefold() for word in wanted} & {word.casefold() for word in have[self.kind] if word})

    def _attribute_holds(self, value):
        if isinstance(self.wanted, bool):
            return bool(value) == self.wanted
        if isinstance(self.wanted, list):
            return value.casefold() in [word.casefold() for word in self.wanted]
        low, high = self.wanted
        return value.isdecimal() and (low is None or int(value) >= low) and (high is None or int(value) <= high)


def group_text(name, conditions):
    return f"{name} = {{ {' '.join(condition.text() for condition in conditions)} }}; " if conditions else ""


@dataclasses.dataclass
class Step:
    """date: None, "anniversary", (month, day), a datetime.date, or the name of an attribute."""
    name: str
    timing: str = "after"
    delay: Duration = Duration(0, "days")
    on: frozenset = frozenset()
    at: int = None
    date: object = None
    yearly: bool = False
    before: Duration = None
    conditions: list = dataclasses.field(default_factory=list)
    is_task: bool = False
    approve: bool = False

    def text(self):
        parts = [f"{self.timing} = {self.delay};"] if self.timing else []
        if self.on:
            parts.append(f'on = {list_text(DAY_NAMES[day] for day in sorted(self.on))};')
        if self.date:
            parts.append(f'on = "{self._date_text()}";')
        if self.yearly:
            parts.append("yearly = true;")
        if self.before:
            parts.append(f"before = {self.before};")
        if self.at is not None:
            parts.append(f'at = "{clock_text(self.at)}";')
        if self.is_task:
            parts.append('kind = "task";')
        if self.approve:
            parts.append("approve = true;")
        return "{ " + " ".join(parts) + " " + group_text("if", self.conditions) + f'template = "{self.name}"; }}'

    def _date_text(self):
        if isinstance(self.date, datetime.date):
            return self.date.isoformat()
        return self.date if isinstance(self.date, str) else "%02d-%02d" % self.date


@dataclasses.dataclass
class Rule:
    """until: None, a datetime.date, or a Duration since the anchor."""
    name: str
    anchor: str
    when: list
    unless: list
    steps: list
    stop_on: list
    priority: int = 0
    window: Window = None
    repeat_every: Duration = None
    repeat_max: int = 0
    until: object = None
    scope_company: bool = False

    def text(self):
        parts = [f'{{ name = "{self.name}"; anchor = "{self.anchor}"; ', group_text("when", self.when), group_text("unless", self.unless),
                 "steps = ( " + ",\n      ".join(step.text() for step in self.steps) + " ); ", f"stop_on = {list_text(self.stop_on)}; "]
        if self.priority:
            parts.append(f"priority = {self.priority}; ")
        if self.window:
            parts.append(f"window = {window_text(self.window)}; ")
        if self.repeat_every:
            parts.append(f"repeat_every = {self.repeat_every}; ")
        if self.repeat_max:
            parts.append(f"repeat_max = {self.repeat_max}; ")
        if self.until:
            parts.append(f"until = {self.until}; " if isinstance(self.until, Duration) else f'until = "{self.until}"; ')
        if self.scope_company:
            parts.append('scope = "company"; ')
        return "  " + "".join(parts) + "}"


@dataclasses.dataclass
class Sending:
    zone: str
    window: Window
    min_gap: Duration
    max_late: Duration
    quiet: Duration = None
    max_per: dict = dataclasses.field(default_factory=dict)  # day, week, month -> number
    holidays: dict = dataclasses.field(default_factory=dict)  # "" (everybody else) or a country -> frozenset of dates

    def holidays_of(self, contact):
        return self.holidays.get(contact.attributes.get("country", ""), self.holidays.get("", frozenset()))

    def text(self, folder):
        """Writes the holiday files, too."""
        named = {}
        for country, dates in self.holidays.items():
            lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//model//EN"]
            for date in sorted(dates):
                lines += ["BEGIN:VEVENT", f"UID:{date}@model", f"DTSTART;VALUE=DATE:{date:%Y%m%d}", "END:VEVENT"]
            named[country or "default"] = folder.write(f"holidays-{country or 'default'}.ics", "\r\n".join([*lines, "END:VCALENDAR", ""]))
        holidays = "".join(f'{name} = [ "{file}" ]; ' for name, file in named.items())
        return "\n".join([
            f'sending = {{ time_zone = "{self.zone}"; window = {window_text(self.window)};',
            f"  min_gap = {self.min_gap}; max_late = {self.max_late};",
            f"  quiet_after_contact = {self.quiet};" if self.quiet else "",
            "  max_per = { " + " ".join(f"{name} = {number};" for name, number in self.max_per.items()) + " };" if self.max_per else "",
            f"  holidays = {{ {holidays}}};" if holidays else "", "};"])


@dataclasses.dataclass
class Contact:
    email: str
    zone: str = ""
    stage: str = ""
    stage_since: int = 0
    customer_since: int = 0
    owner: str = ""
    company: str = ""
    language: str = ""
    tags: list = dataclasses.field(default_factory=list)
    attributes: dict = dataclasses.field(default_factory=dict)
    # what the history makes of them
    last_talk: int = 0
    tries: list = dataclasses.field(default_factory=list)  # when messages went to them
    paused_until: int = 0

    def contacted(self):
        return max(self.last_talk, self.tries[-1] if self.tries else 0)


COLUMNS = ["email", "stage", "stage_since", "customer_since", "time_zone", "language", "owner", "company", "tags"]


def csv_text(contacts):
    attributes = sorted({name for contact in contacts for name in contact.attributes})
    lines = [",".join([*COLUMNS, *attributes])]
    for contact in contacts:
        cells = [contact.email, contact.stage, text_of(contact.stage_since) if contact.stage_since else "",
                 text_of(contact.customer_since) if contact.customer_since else "", contact.zone, contact.language, contact.owner,
                 contact.company, ";".join(contact.tags), *(contact.attributes.get(name, "") for name in attributes)]
        lines.append(",".join(f'"{cell}"' if "," in cell else cell for cell in cells))
    return "\n".join(lines) + "\n"
