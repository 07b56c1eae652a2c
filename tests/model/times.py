"""Local time for the reference scheduler: zoneinfo and datetime, nothing of the program's. Instants are milliseconds UTC."""
import calendar
import dataclasses
import datetime
import functools
import zoneinfo

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NEVER = 1 << 62
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@dataclasses.dataclass(frozen=True)
class Duration:
    """A number of one unit, as the configuration writes it."""
    number: int
    unit: str

    def __str__(self):
        return f'"{self.number} {self.unit if self.number != 1 else self.unit.removesuffix("s")}"'

    def __bool__(self):
        return self.number > 0


@dataclasses.dataclass(frozen=True)
class Window:
    days: frozenset  # 0 is Monday
    start: int       # minutes of the day
    end: int

    def narrowed(self, days, at):
        """What a step leaves of it: its weekdays, from its time of day on."""
        return Window(self.days & days if days else self.days, self.start if at is None else max(self.start, at), self.end)


@functools.lru_cache(maxsize=None)
def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def parse(text):
    return round((datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) / datetime.timedelta(milliseconds=1))


def text_of(at_ms):
    return (EPOCH + datetime.timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%SZ")


def wall(zone, at_ms):
    """The time on the wall there, without a zone."""
    whole_s, ms = divmod(at_ms, 1000)
    return datetime.datetime.fromtimestamp(whole_s, zone_of(zone)).replace(tzinfo=None, fold=0) + datetime.timedelta(milliseconds=ms)


def instant(zone, time):
    """Of two equal times the first; one in a gap by the offset before it."""
    return round((time.replace(tzinfo=zone_of(zone), fold=0) - EPOCH) / datetime.timedelta(milliseconds=1))


def midnight(zone, day):
    return instant(zone, datetime.datetime.combine(day, datetime.time()))


@functools.lru_cache(maxsize=None)
def _changes(zone, year):
    """The instants of the year at which the zone's offset changes, to the second."""
    found, start = [], round((datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc) - EPOCH).total_seconds())

    def offset(at_s):
        return datetime.datetime.fromtimestamp(at_s, zone_of(zone)).utcoffset()
    for day in range(366):
        low, high = start + day * 86400, start + (day + 1) * 86400
        if offset(low) != offset(high):
            before = offset(low)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found.append(high * 1000)
    return found


@functools.lru_cache(maxsize=1 << 16)
def _pieces(zone, day):
    """[(first, behind last)] of the instants whose local date is day: in each the clock runs evenly."""
    around = datetime.datetime.combine(day, datetime.time(), datetime.timezone.utc)
    low, high = (round((around + datetime.timedelta(hours=h) - EPOCH) / datetime.timedelta(milliseconds=1)) for h in (-30, 54))
    edges = sorted({low, high, *(at for year in {wall("UTC", low).year, wall("UTC", high).year} for at in _changes(zone, year) if low < at < high)})
    found = []
    for begin, end in zip(edges, edges[1:]):
        offset = (wall(zone, begin) - wall("UTC", begin)) // datetime.timedelta(milliseconds=1)
        first = round((around - EPOCH) / datetime.timedelta(milliseconds=1)) - offset
        if max(begin, first) < min(end, first + DAY):
            found.append((max(begin, first), min(end, first + DAY), first))
    return found


def on_day(zone, day, at_ms, start, end):
    """The first instant at or after at_ms, on that local day, at which the wall shows start <= minute < end; None: there is none."""
    for begin, behind, first in _pieces(zone, day):
        low, high = max(begin, first + start * MINUTE, at_ms), min(behind, first + end * MINUTE)
        if low < high:
            return low
    return None


def first_moment(zone, day):
    """Of that local day; of a day that is left out (a change of the date line), of what comes behind."""
    pieces = _pieces(zone, day)
    return pieces[0][0] if pieces else midnight(zone, day)


def opens(zone, window, holidays, at_ms, at_minute=None):
    """The earliest instant at or after at_ms that is inside the window and on no holiday. With at_minute: at which the day comes to that
    minute; a day that does not have it is none, and of two the first counts."""
    day = wall(zone, at_ms).date()
    for n in range(401):
        candidate = day + datetime.timedelta(days=n)
        if candidate.weekday() not in window.days or candidate in holidays:
            continue
        if at_minute is None:
            found = on_day(zone, candidate, at_ms, window.start, window.end)
        else:
            found = _at_minute(zone, candidate, at_ms, at_minute) if window.start <= at_minute < window.end else None
        if found is not None:
            return found
    return NEVER


def _at_minute(zone, day, at_ms, minute):
    time = datetime.datetime.combine(day, datetime.time(minute // 60, minute % 60))
    found = instant(zone, time)
    return found if found >= at_ms and wall(zone, found) == time else None


def plus_months(day, months):
    number = day.year * 12 + day.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return datetime.date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def add(zone, at_ms, duration, holidays=frozenset(), times=1):
    """By the local calendar: the time of day stays, but for hours and less, which are counted as they pass."""
    number, unit = duration.number * times, duration.unit
    if unit in ("hours", "minutes", "seconds"):
        return at_ms + number * {"hours": HOUR, "minutes": MINUTE, "seconds": 1000}[unit]
    time = wall(zone, at_ms)
    day = time.date()
    if unit == "business days":
        while number:
            day += datetime.timedelta(days=1)
            number -= day.weekday() < 5 and day not in holidays
    elif unit in ("months", "years"):
        day = plus_months(day, number * (12 if unit == "years" else 1))
    else:
        day += datetime.timedelta(days=number * (7 if unit == "weeks" else 1))
    return at_ms if day == time.date() else max(at_ms, instant(zone, datetime.datetime.combine(day, time.time())))


def subtract(zone, at_ms, duration):
    """Business days are taken as days."""
    number, unit = duration.number, duration.unit
    if unit in ("hours", "minutes", "seconds"):
        return at_ms - number * {"hours": HOUR, "minutes": MINUTE, "seconds": 1000}[unit]
    time = wall(zone, at_ms)
    months = number * (12 if unit == "years" else 1) if unit in ("months", "years") else 0
    days = 0 if months else number * (7 if unit == "weeks" else 1)
    day = plus_months(time.date(), -months) - datetime.timedelta(days=days)
    return at_ms if day == time.date() else instant(zone, datetime.datetime.combine(day, time.time()))
