"""The times of steps against the oracle: by delay, weekday, time of day and date, in a window and on no holiday; never earlier than
asked, and the earliest such. And the last moment of a rule. The seed is in every failure's message."""
import calendar
import random
from datetime import date, datetime, time, timedelta

from oracle import (NEVER, SEED, add_months, ask, changes, earliest, instant, is_inside, is_open_day, local, many, random_duration,
                    random_instant, random_window, random_zone, shifted)

NONE, ANNIVERSARY, YEARLY, ONCE, ATTRIBUTE = range(5)
PASSED = 0
NOTHING = (0, 0, 0, 0)


def in_year(year, month, day):
    """29 February is the last of the month in other years."""
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def moved(zone, day, before, holidays):
    """When mail for that day may begin, and the local day of it."""
    months, days, business, ms = before
    day = add_months(day, -months) - timedelta(days=days)
    while business:
        day -= timedelta(days=1)
        business -= day.isoweekday() < 6 and day not in holidays
    at = instant(zone, datetime.combine(day, time())) - ms
    return at, local(zone, at).date() if ms else day


def by_date(case, wanted, holidays):
    """The first moment that the step's date allows; PASSED, or NEVER."""
    zone, anchor, kind, (year, month, day), yearly = case["zone"], case["anchor"], case["kind"], case["date"], case["yearly"]
    if kind == NONE:
        return wanted
    if kind == ATTRIBUTE and case["text"] in ("-", "soon"):
        return NEVER
    wanted_day = local(zone, wanted).date()
    if not yearly:
        at, moved_day = moved(zone, date(year, month, day), case["before"], holidays)
        return PASSED if moved_day < wanted_day else max(at, wanted)
    first = wanted_day.year - 1
    if kind == ANNIVERSARY:
        began = local(zone, anchor).date()
        month, day, first = began.month, began.day, began.year + 1
    for candidate in range(first, wanted_day.year + 20):
        at, moved_day = moved(zone, in_year(candidate, month, day), case["before"], holidays)
        if moved_day >= wanted_day:
            return max(at, wanted)
    raise AssertionError("no year")


def on_time(zone, window, minute, at_ms, holidays):
    """The first day from that of at_ms on that is open and has this minute, at its first occurrence."""
    day = local(zone, at_ms).date()
    for _ in range(401):
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        found = instant(zone, wall)
        if is_open_day(window, wall, holidays) and found >= at_ms and local(zone, found) == wall:
            return found
        day += timedelta(days=1)
    return NEVER


def wanted_time(case, holidays):
    zone, anchor = case["zone"], case["anchor"]
    since = anchor if case["is_age"] or not case["last"] else case["last"]
    wanted = shifted(zone, since, *case["delay"], holidays=holidays)
    if case.get("minute", -1) >= 0 and case["delay"] != NOTHING and not case["delay"][3]:  # whole days, and then at that time
        wanted = instant(zone, datetime.combine(local(zone, wanted).date(), time()))
    return max(wanted, anchor)


def is_due(case, got, holidays):
    """None where got is right, else what it should be."""
    zone, (days, start, end), minute = case["zone"], case["window"], case["minute"]
    window = (days & (case["on_days"] or 0x7f), start, end)
    begins = by_date(case, wanted_time(case, holidays), holidays)
    if begins in (PASSED, NEVER):
        want = begins
    elif window[0] == 0 or minute >= 0 and not start <= minute < end:
        want = NEVER
    elif minute >= 0:
        want = on_time(zone, window, minute, begins, holidays)
    elif got in (PASSED, NEVER) or got < begins:
        return "a time in the window"
    else:
        want = earliest(zone, window, begins, got, holidays)
    return None if got == want else want


def random_date(rng, zone, wanted):
    """A date near the wanted time, or at the end of a month, or any; often the wanted day itself."""
    near = local(zone, wanted).date() + timedelta(days=rng.choice([0, 0, 1, -1, rng.randint(-40, 400)]))
    awkward = date(near.year, *rng.choice([(2, 28), (3, 1), (12, 31), (1, 1), (1, 31), (4, 30)]))
    return rng.choice([near, near, awkward, date(2024, 2, 29)])


def awkward_minute(rng, zone, wanted):
    """The very minute that is wanted, or one that a change of the clock soon after leaves out or shows twice."""
    soon = [at for at in changes(zone, local(zone, wanted).year) if 0 <= at * 1000 - wanted < 3 * 86400000]
    wall = local(zone, wanted)
    if soon and rng.random() < 0.8:
        wall = local(zone, soon[0] * 1000 - 60000) + timedelta(minutes=rng.randint(-60, 60))
    return wall.hour * 60 + wall.minute


def random_case(rng, holidays):
    zone = random_zone(rng)
    case = {"zone": zone, "anchor": random_instant(rng, zone, 1975, 2027), "is_age": rng.random() < 0.5, "text": "-"}
    case["last"] = rng.choice([0, case["anchor"] + rng.randint(-3, 60) * 86400000])
    case["delay"] = rng.choice([NOTHING, random_duration(rng), (0, rng.randint(0, 400), 0, 0)])
    wanted = wanted_time(case, holidays)
    case["window"] = random_window(rng, zone, wanted)
    case["on_days"] = rng.choice([0, 0, 1 << rng.randrange(7), rng.randint(1, 0x7f)])
    start, end = case["window"][1:]
    case["minute"] = rng.choice([-1, -1, rng.randrange(start, end), awkward_minute(rng, zone, wanted), rng.randrange(1440)])
    if case["minute"] >= 0 and rng.random() < 0.5:
        case["window"], case["on_days"] = (0x7f, 0, 1440), rng.choice([0, 1 << local(zone, wanted).weekday()])
    case["kind"] = rng.choice([NONE, NONE, ANNIVERSARY, YEARLY, ONCE, ATTRIBUTE])
    day = random_date(rng, zone, wanted)
    case["date"] = (day.year, day.month, day.day)
    case["yearly"] = case["kind"] in (ANNIVERSARY, YEARLY) or case["kind"] == ATTRIBUTE and rng.random() < 0.5
    if case["kind"] == ATTRIBUTE:
        short = case["yearly"] and rng.random() < 0.5
        case["text"] = f"{day:%m-%d}" if short else f"{day.year:04}-{day:%m-%d}" if rng.random() < 0.9 else rng.choice(["-", "soon"])
    case["before"] = rng.choice([NOTHING, NOTHING, (0, rng.randint(0, 90), 0, 0), random_duration(rng)]) if case["kind"] else NOTHING
    return case


def line_of(case):
    year = int(case["yearly"]) if case["kind"] == ATTRIBUTE else case["date"][0]
    words = ["due", case["zone"], *case["window"], case["anchor"], case["last"], int(case["is_age"]), *case["delay"], case["on_days"],
             case["minute"], case["kind"], year, *case["date"][1:], case["text"], *case["before"]]
    return " ".join(map(str, words))


def test_due(driver, holidays):
    file, dates = holidays
    rng = random.Random(SEED + 7)
    cases = [random_case(rng, dates) for _ in many(6000)]
    lines = [line_of(case) for case in cases]
    kinds = set()
    for case, line, (got, inside) in zip(cases, lines, ask(driver, lines, file)):
        what = f"seed {SEED}: {line}, got {got}"
        want = is_due(case, got, dates)
        assert want is None, f"{what}, want {want}"
        if got in (PASSED, NEVER):
            continue
        kinds.add((case["kind"], case["minute"] >= 0, bool(case["on_days"])))
        days, start, end = case["window"]
        assert got >= wanted_time(case, dates), what
        assert is_inside(case["zone"], (days & (case["on_days"] or 0x7f), start, end), got, dates), what
        assert inside, what
    if len(cases) >= 3000:
        assert len(kinds) == 20, f"seed {SEED}: the cases are one-sided: {sorted(kinds)}"


def test_until(driver, holidays):
    file, dates = holidays
    rng = random.Random(SEED + 8)
    cases = []
    for _ in many(4000):
        zone = random_zone(rng)
        anchor = random_instant(rng, zone, 1975, 2030)
        day = random_date(rng, zone, anchor) if rng.random() < 0.6 else None
        cases.append((zone, anchor, day, rng.choice([NOTHING, random_duration(rng)])))
    lines = []
    for zone, anchor, day, age in cases:
        lines.append(" ".join(map(str, ["until", zone, anchor, *((day.year, day.month, day.day) if day else (0, 0, 0)), *age])))
    for (zone, anchor, day, age), line, (got,) in zip(cases, lines, ask(driver, lines, file)):
        ends = [NEVER]
        if age != NOTHING:
            ends.append(shifted(zone, anchor, *age, holidays=dates))
        if day:
            ends.append(instant(zone, datetime.combine(day + timedelta(days=1), time())) - 1)
        assert got == min(ends), f"seed {SEED}: {line}"
