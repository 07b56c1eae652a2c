"""The driver that puts plan/ at the tests' disposal, and random holidays. PLAN_DRIVER names a driver that is built already; otherwise it
is compiled here, under sanitizers."""
import calendar
import os
import pathlib
import random
import shlex
import subprocess
from datetime import date, timedelta

import pytest

from oracle import CASES, SEED

TOP = pathlib.Path(__file__).resolve().parent.parent.parent


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"PROPERTY_SEED={SEED} PROPERTY_CASES={CASES:g}")


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    if "PLAN_DRIVER" in os.environ:
        return os.environ["PLAN_DRIVER"]
    program = tmp_path_factory.mktemp("driver") / "plan_driver"
    packages = ["glib-2.0", "gobject-2.0", "gio-2.0", "gio-unix-2.0", "json-glib-1.0", "libical"]
    compiling, linking = (shlex.split(subprocess.check_output(["pkg-config", what, *packages], text=True))
                          for what in ("--cflags", "--libs"))
    sources = [TOP / "tests/property/plan_driver.c", *TOP.glob("daemon/plan/*.c"), *TOP.glob("daemon/base/*.c"), TOP / "daemon/config/anchor.c"]
    subprocess.run(["cc", "-std=gnu11", "-O1", "-g", "-D_GNU_SOURCE", "-fsanitize=address,undefined",
                    "-fno-sanitize-recover=undefined", f"-I{TOP}/include", f"-I{TOP}/daemon", *compiling,
                    *map(str, sources), "-o", str(program), *linking, "-lm"], check=True)
    return str(program)


@pytest.fixture(scope="session")
def holidays(tmp_path_factory):
    """A holiday file of single days, runs of days and yearly ones, and the set of dates that it means."""
    rng = random.Random(SEED ^ 1)
    lines, dates = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//property//EN"], set()

    def event(start, length, more=()):
        end = start + timedelta(days=length)
        ends = [[f"DTEND;VALUE=DATE:{end:%Y%m%d}"], [f"DURATION:P{length}D"]] + [[]] * (length == 1)
        lines.extend(["BEGIN:VEVENT", f"DTSTART;VALUE=DATE:{start:%Y%m%d}", *rng.choice(ends), *more, "END:VEVENT"])

    for _ in range(1500):
        start = date(1972, 1, 1) + timedelta(days=rng.randrange(66 * 365))
        length = rng.choice([1, 1, 1, 2, 3, 9])
        event(start, length)
        dates.update(start + timedelta(days=n) for n in range(length))
    for month, day in [(1, 1), (2, 29), (5, 1), (5, 17), (12, 25)]:
        first, length = 1972, rng.choice([1, 2])
        left_out = rng.sample(range(1976, 2037, 4), 3)
        event(date(first, month, day), length,
              ["RRULE:FREQ=YEARLY", "EXDATE;VALUE=DATE:" + ",".join(f"{year}{month:02}{day:02}" for year in left_out)])
        for year in range(first, 2101):
            if year not in left_out and (month, day) != (2, 29) or calendar.isleap(year) and year not in left_out:
                dates.update(date(year, month, day) + timedelta(days=n) for n in range(length))
    lines.append("END:VCALENDAR")
    file = tmp_path_factory.mktemp("holidays") / "holidays.ics"
    file.write_bytes("".join(line + "\r\n" for line in lines).encode())
    return file, frozenset(dates)
