"""What the property tests share: the driver's answers, an oracle of local time by Python's zoneinfo and datetime, random cases.

plan/ does arithmetic on numbers, by GLib's time zones; here everything goes by datetime objects. Cases are random, and prefer the
days at which clocks change. PROPERTY_SEED=… repeats a run, PROPERTY_CASES=10 makes ten times as many cases.
"""
import calendar
import functools
import os
import random
import subprocess
import zoneinfo
from datetime import date, datetime, timedelta, timezone

SEED = int(os.environ.get("PROPERTY_SEED") or random.SystemRandom().randrange(2**32))
CASES = float(os.environ.get("PROPERTY_CASES") or 1)
NEVER = 2**63 - 1
DAY_S = 86400
ZONES = sorted(name for name in zoneinfo.available_timezones() if name not in ("localtime", "Factory"))
AWKWARD = ["Pacific/Apia", "Pacific/Kwajalein", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut",
           "Europe/Oslo", "America/New_York", "Africa/Casablanca", "Antarctica/Troll", "Asia/Gaza", "America/Caracas",
           "Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Europe/Dublin", "America/Scoresbysund", "America/Nuuk",
           "Asia/Pyongyang", "Pacific/Tongatapu"]
# Dublin's winter time is negative summer time in the database; from 2038 on, GLib 2.74 takes it for an hour of summer time
GLIB_WRONG_FROM = {"Europe/Dublin": 2037, "Eire": 2037}


def ask(driver, operations, *holiday_files):
    """The numbers that the driver prints for each operation."""
    done = subprocess.run([driver, *map(str, holiday_files)], input="".join(line + "\n" for line in operations),
                          capture_output=True, text=True)
    assert done.returncode == 0, f"seed {SEED}: {done.stderr}"
    answers = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(answers) == len(operations), f"seed {SEED}"
    return answers


def many(count):
    """So many cases, or as PROPERTY_CASES says."""
    return range(round(count * CASES))


# ---- the oracle: local time by datetime ----

@functools.lru_cache(maxsize=None)
def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def local(zone, at_ms):
    """The time on the wall, without a zone; floor, so that it is right before 1970 too."""
    whole_s, ms = divmod(at_ms, 1000)
    return datetime.fromtimestamp(whole_s, zone_of(zone)).replace(tzinfo=None, fold=0) + timedelta(milliseconds=ms)


def instant(zone, wall):
    """First of two, and by the offset before a gap: that is what fold=0 means (PEP 495)."""
    aware = wall.replace(tzinfo=zone_of(zone), fold=0)
    return round((aware - datetime(1970, 1, 1, tzinfo=timezone.utc)) / timedelta(milliseconds=1))


@functools.lru_cache(maxsize=4096)
def changes(zone, year):
    """The instants (s) in that year at which the zone's offset changes."""
    found, start = [], int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp())

    def offset(at_s):
        return datetime.fromtimestamp(at_s, zone_of(zone)).utcoffset()

    for day in range(366):
        low, high = start + day * DAY_S, start + (day + 1) * DAY_S
        if offset(low) != offset(high):
            before = offset(low)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found.append(high)
    return found


def add_months(day, months):
    """One month after the other, so that no formula is shared."""
    year, month = day.year, day.month
    for _ in range(abs(months)):
        month += 1 if months > 0 else -1
        year, month = (year + 1, 1) if month > 12 else (year - 1, 12) if month < 1 else (year, month)
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def shifted(zone, at_ms, months, days, business, ms, holidays=frozenset()):
    wall = local(zone, at_ms)
    day = add_months(wall.date(), months) + timedelta(days=days)
    while business:
        day += timedelta(days=1)
        business -= day.isoweekday() < 6 and day not in holidays
    if day == wall.date():
        return at_ms + ms
    return instant(zone, datetime.combine(day, wall.time())) + ms


# ---- random cases ----

def random_zone(rng):
    return rng.choice(AWKWARD if rng.random() < 0.5 else ZONES)


def random_instant(rng, zone, first_year=1973, last_year=2037):
    """Half of them within a day and a half of a change of the clock; some to the ms, some on the minute."""
    last_year = min(last_year, GLIB_WRONG_FROM.get(zone, last_year + 1) - 1)
    year = rng.randint(first_year, last_year)
    near = changes(zone, year)
    if near and rng.random() < 0.6:
        at_s = rng.choice(near) + rng.choice([0, -1, 1, rng.randint(-7200, 7200), rng.randint(-36 * 3600, 36 * 3600)])
    else:
        at_s = int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp()) + rng.randrange(365 * DAY_S)
    at_ms = at_s * 1000
    return at_ms if rng.random() < 0.5 else at_ms // 60000 * 60000 if rng.random() < 0.5 else at_ms + rng.randrange(1000)


def random_window(rng, zone, at_ms):
    """Day masks of one day or several; often a window whose edge is near the local time, or of one minute, or to 24:00."""
    days = rng.choice([0x1f, 0x7f, 1 << rng.randrange(7), rng.randint(1, 0x7f)])
    wall = local(zone, at_ms)
    near = (wall.hour * 60 + wall.minute + rng.randint(-90, 90)) % 1440
    start = near if rng.random() < 0.6 else rng.randrange(1440)
    end = rng.choice([start + 1, 1440, rng.randint(start + 1, 1440), min(1440, start + rng.randint(1, 120))])
    return days, start, end


def random_duration(rng):
    """Months, days, business days, ms; often only some of them."""
    return (rng.choice([0, 0, 1, rng.randint(0, 30)]), rng.choice([0, 1, rng.randint(0, 400)]),
            rng.choice([0, 0, 1, rng.randint(0, 30)]), rng.choice([0, 0, rng.randint(0, 10**8)]))


# ---- the oracle: windows ----

def is_open_day(window, wall, dates):
    return window[0] >> wall.weekday() & 1 and wall.date() not in dates


def is_inside(zone, window, at_ms, dates):
    wall = local(zone, at_ms)
    return bool(window[1] <= wall.hour * 60 + wall.minute < window[2] and is_open_day(window, wall, dates))


def earliest(zone, window, at_ms, limit_ms, dates):
    """The first moment inside, of at_ms and every whole minute up to the limit: since 1973 no zone has changed between minutes.
    Hours of which both ends lie on closed days are left out: no open day is shorter than an hour."""
    if is_inside(zone, window, at_ms, dates):
        return at_ms
    at_ms = (at_ms // 60000 + 1) * 60000
    while at_ms <= limit_ms:
        if not any(is_open_day(window, local(zone, end), dates) for end in (at_ms, at_ms + 3540000)):
            at_ms += 3600000
            continue
        for minute in range(at_ms, at_ms + 3600000, 60000):
            if is_inside(zone, window, minute, dates):
                return minute
        at_ms += 3600000
    return None
