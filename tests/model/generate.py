"""Random rules and contacts, in the corners where schedulers go wrong: zones that change their clocks at odd hours, ends of months, leap
days, small windows. All from one random.Random, so that a seed gives them again."""
import datetime

from rules import CUSTOMER_STAGE, STAGES, Condition, Contact, Rule, Sending, Step
from times import DAY, MINUTE, Duration, Window, text_of, wall

ZONES = ["", "Europe/Oslo", "Europe/London", "America/New_York", "America/St_Johns", "America/Santiago", "America/Havana", "Asia/Tokyo",
         "Asia/Kathmandu", "Asia/Beirut", "Asia/Gaza", "Africa/Cairo", "Australia/Lord_Howe", "Australia/Adelaide", "Pacific/Chatham",
         "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Antarctica/Troll", "UTC"]
TAGS = ["happy", "vip", "trial"]
OWNERS = ["anna", "bert"]
COMPANIES = ["", "", "Acme", "Berg", "Ciel", "Dal"]
LANGUAGES = ["", "en", "nb"]
PLANS = ["", "gold", "silver"]
COUNTRIES = ["", "NO", "SE"]
STOPS = ["reply", "stage-change", "meeting", "call", "note", "tag", "tag:happy", "tag:vip"]
WEEK = frozenset(range(7))


def some(rng, words, most=3):
    return rng.sample(words, rng.randint(1, min(most, len(words))))


def duration(rng, most_days=30, least=0, units=("days", "days", "days", "weeks", "hours", "business days", "months")):
    unit = rng.choice(units)
    most = {"days": most_days, "business days": most_days * 5 // 7, "weeks": most_days // 7, "hours": most_days * 24, "months": most_days // 28,
            "years": most_days // 365}[unit]
    return Duration(rng.randint(least, max(most, least)), unit)


def window(rng):
    days = rng.choice([frozenset(range(5)), frozenset(range(5)), WEEK, frozenset(rng.sample(range(7), rng.randint(1, 5)))])
    start = rng.choice([480, 540, 0, rng.randrange(0, 1380)])
    end = rng.choice([1020, 1440, start + 1, start + 60, rng.randint(start + 1, 1440)])
    return Window(days, start, min(1440, end) if end > start else 1440)


def date_near(rng, now, before=40, after=120):
    return wall("UTC", now).date() + datetime.timedelta(days=rng.randint(-before, after))


class Generator:
    def __init__(self, rng, now):
        self.rng, self.now, self.names = rng, now, 0

    # ---- the configuration ----

    def sending(self):
        rng = self.rng
        holidays = {country: frozenset(date_near(rng, self.now) for _ in range(rng.randint(1, 25)))
                    for country in rng.choice([[], [""], ["", "NO", "SE"]])}
        return Sending(
            zone=rng.choice(ZONES[1:]), window=window(rng), min_gap=rng.choice([Duration(0, "days"), Duration(2, "days"), duration(rng, 4)]),
            max_late=rng.choice([Duration(7, "days"), Duration(0, "days"), duration(rng, 14, 1)]), quiet=rng.choice([None, duration(rng, 10, 1)]),
            max_per=rng.choice([{}, {"week": 2}, {"day": 1, "week": 3, "month": rng.randint(3, 6)}]), holidays=holidays)

    def rules(self, count, sending):
        return [self.rule(f"r{n}", sending) for n in range(count)]

    def rule(self, name, sending):
        rng = self.rng
        anchor = rng.choice(["stage", "customer"])
        own = rng.choice([None, None, window(rng)])
        opened = own or sending.window
        kinds = ["stage"] * 3 if anchor == "stage" else ["customer", "customer", "customer_age"]
        when = [self.condition(rng.choice(kinds))] + [self.condition() for _ in range(rng.choice([0, 0, 1, 2]))]
        unless = [self.condition() for _ in range(rng.choice([0, 0, 0, 1]))]
        rule = Rule(name, anchor, self.distinct(when), self.distinct(unless), self.steps(opened), some(rng, STOPS),
                    priority=rng.choice([0, 0, 0, -5, 7]), window=own, scope_company=rng.random() < 0.2)
        if rng.random() < 0.4 and all(step.date in (None, "anniversary") for step in rule.steps):  # other dates do not move with the round
            rule.repeat_every, rule.repeat_max = duration(rng, 40, 1), rng.choice([0, 2, 3])
        if rng.random() < 0.2:
            longest = sum(step.delay.number * {"hours": 1, "weeks": 7, "months": 31}.get(step.delay.unit, 2) for step in rule.steps)
            last = max([date_near(rng, self.now, 0)] + [step.date for step in rule.steps if isinstance(step.date, datetime.date)])
            rule.until = rng.choice([last, Duration(longest + rng.randint(1, 30), "days")])
        return rule

    @staticmethod
    def distinct(conditions):
        """A group names each condition once, and each attribute."""
        found = {}
        for condition in conditions:
            found.setdefault("attribute" if condition.kind == "attribute" else condition.kind, condition)
        return list(found.values())

    def condition(self, kind=None):
        rng = self.rng
        kind = kind or rng.choice(["stage_age", "customer_age", "tag", "owner", "company", "language", "attribute", "not_contacted", "customer", "replied"])
        if kind == "attribute":
            return rng.choice([Condition(kind, some(rng, PLANS[1:], 2), "plan"), Condition(kind, rng.random() < 0.6, "plan"),
                               Condition(kind, (rng.choice([None, 0]), 5), "seats"), Condition(kind, (3, rng.choice([None, 9])), "seats")])
        if kind in ("stage_age", "customer_age"):
            low, high = rng.randint(0, 40), rng.randint(1, 90)
            return Condition(kind, rng.choice([(Duration(low, "days"), None), (None, Duration(high, "days")),
                                               (Duration(low, "days"), Duration(low + high, "days"))]))
        if kind == "not_contacted":
            return Condition(kind, duration(rng, 20, 1))
        if kind in ("customer", "replied"):
            return Condition(kind, rng.random() < 0.7 if kind == "customer" else rng.random() < 0.2)
        return Condition(kind, some(rng, {"stage": STAGES, "tag": TAGS, "owner": OWNERS, "company": COMPANIES[2:], "language": LANGUAGES[1:]}[kind]))

    # ---- steps ----

    def steps(self, opened):
        rng, age, steps = self.rng, -1, []
        for _ in range(rng.randint(1, 4)):
            self.names += 1
            step = Step(f"s{self.names}", is_task=rng.random() < 0.12)
            if rng.random() < 0.15:
                step.conditions = [self.condition(rng.choice(["tag", "attribute", "not_contacted"]))]
            if rng.random() < 0.4:
                age += rng.randint(1, 30)
                step.timing, step.delay = "age", Duration(age, "days")
            else:
                step.delay = duration(rng, 20)
            if rng.random() < 0.25:
                step.at = rng.randint(opened.start, opened.end - 1)
            self.give_day(step, opened)
            steps.append(step)
        return steps

    def give_day(self, step, opened):
        rng = self.rng
        kind = rng.choice(["none"] * 7 + ["weekday", "weekday", "anniversary", "yearly", "once", "attribute", "birthday"])
        if kind == "weekday":
            step.on = frozenset(some(rng, sorted(opened.days)))
        elif kind != "none":
            day = date_near(rng, self.now)
            step.date = {"anniversary": "anniversary", "yearly": (day.month, day.day), "once": day}.get(kind, "renewal")
            step.yearly = kind == "birthday"
            step.before = rng.choice([None, None, Duration(rng.randint(1, 30), "days"), Duration(1, "months"), Duration(2, "weeks"), Duration(30, "hours")])
            if rng.random() < 0.4 and step.timing == "after":
                step.timing, step.delay = "", Duration(0, "days")

    # ---- contacts ----

    def moment(self, days_back):
        """A whole minute of the last days."""
        return self.now - self.rng.randrange(days_back * DAY // MINUTE) * MINUTE

    def contact(self, email):
        rng = self.rng
        stage = rng.choice(STAGES)
        since = self.moment(rng.choice([3, 30, 90]))
        contact = Contact(email, rng.choice(ZONES), stage, since, owner=rng.choice(["", *OWNERS]), company=rng.choice(COMPANIES),
                          language=rng.choice(LANGUAGES), tags=rng.sample(TAGS, rng.choice([0, 0, 1, 2])))
        if stage == CUSTOMER_STAGE:
            contact.customer_since = rng.choice([since, since - rng.randrange(500) * DAY])
        contact.attributes = {"plan": rng.choice(PLANS), "seats": rng.choice(["", str(rng.randint(0, 12))]), "country": rng.choice(COUNTRIES),
                              "renewal": self.renewal()}
        return contact

    def renewal(self):
        day = date_near(self.rng, self.now)
        return self.rng.choice(["", "soon", day.isoformat(), f"{day.month:02}-{day.day:02}", "1980-02-29"])

    def contacts(self, count):
        return [self.contact(f"c{n}@kunde.example") for n in range(count)]


def start_of(rng):
    """A minute of the years around; often just before clocks change in March or October, a leap day, or the end of a year."""
    day = rng.choice([datetime.date(2026, 3, 20), datetime.date(2027, 10, 20), datetime.date(2028, 2, 20), datetime.date(2026, 12, 18),
                      datetime.date(2025, 1, 1) + datetime.timedelta(days=rng.randrange(1200))])
    return round((datetime.datetime.combine(day, datetime.time()) - datetime.datetime(1970, 1, 1)).total_seconds()) * 1000 + rng.randrange(1440) * MINUTE


def describe(contact):
    """For the message of a test that failed."""
    return (f"{contact.email} zone={contact.zone or '-'} stage={contact.stage} since {text_of(contact.stage_since)} "
            f"customer {text_of(contact.customer_since) if contact.customer_since else '-'} owner={contact.owner} company={contact.company} "
            f"{contact.tags} {contact.attributes}")
