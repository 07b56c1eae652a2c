"""nurture forecast: what it says is what the daemon then sends; it stores and sends nothing; and it compares configurations."""
import datetime
import hashlib
import time
import zoneinfo

import pytest

from conftest import wait_for, write_csv
from world import Folder
from world.nurture import Nurture, account, server

RULES = """
  { name = "pitch"; anchor = "stage"; when = { stage = "pitching"; };
    steps = ( { after = "2 days"; template = "pitch-1"; }, { after = "4 days"; template = "pitch-2"; same_thread = true; } ); },
  { name = "care"; anchor = "customer"; when = { customer = true; };
    steps = ( { age = "7 days"; template = "welcome"; } ); }
"""
ZONES = ["Europe/Oslo", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "UTC"]
START = datetime.datetime(2026, 3, 25, 6, 0, tzinfo=datetime.timezone.utc)  # summer time begins on the 29th
COLUMNS = "email,first_name,stage,stage_since,time_zone"


def people(customer, count):
    rows = []
    for i in range(count):
        since = (START - datetime.timedelta(hours=7 * i)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.append((customer(i), f"N{i}", "follow-up" if i % 3 == 0 else "pitching", since, ZONES[i % len(ZONES)]))
    return rows


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class TestForecast:
    def test_it_equals_what_the_daemon_then_sends(self, request, world, postfix, customer):
        # one_way: a daemon with a mailbox waits for it at its start, by the machine's time
        one = Nurture(Folder("nurture-forecast-"), account(server("smtp", postfix.smtp, world.authority.file, extra="connections = 4;")), rules=RULES,
                      days="mon-fri", start="08:00", end="18:00", min_gap="1 day")
        request.addfinalizer(lambda: (one.stop(), one.folder.close()))
        one.run("import", write_csv(one, people(customer, 25), COLUMNS))
        clock = ["--clock", START.strftime("%Y-%m-%dT%H:%M:%SZ")]
        one.start(*clock)  # at its own pace, so that the forecast begins where the daemon does
        one.run("pause")
        one.stop()
        one.start(*clock, "--speed", "0.001")
        one.run("resume")
        wait_for(lambda: not [m for m in one.json("queue") if m["state"] == "queued" and moment(m["due_at"]) <= START], 20)
        forecast = one.json("forecast", "--days", "12")
        one.stop()
        assert len(forecast) >= 25
        one.start("--clock", (START + datetime.timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ"), "--speed", "86400")
        time.sleep(13)
        one.stop()
        sent = {}
        for row in one.json("queue", "list", "--all"):
            if row["state"] == "sent":
                entry = [h for h in one.history(row["contact"], "sent") if h["step"] == row["step"]][0]
                sent[row["contact"], row["rule"], row["step"]] = moment(entry["at"])
        foretold = {(m["contact"], m["rule"], m["step"]): moment(m["at"]) for m in forecast}
        end = START + datetime.timedelta(days=11)
        before = {key for key, at in sent.items() if at <= START + datetime.timedelta(seconds=60)}
        assert {key for key, at in sent.items() if at < end} - before == {key for key, at in foretold.items() if at < end} - before
        off = {key: (at, sent[key]) for key, at in foretold.items() if at < end and key not in before and abs(sent[key] - at) > datetime.timedelta(minutes=1)}
        assert not off, off

    def test_it_stores_and_sends_nothing(self, world, nurture, customer):
        one = nurture(rules=RULES)
        one.run("import", write_csv(one, [(customer(), "K", "pitching", "2026-01-01", "UTC")], COLUMNS))
        before = hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest()
        one.run("contact", "stage", customer(), "pitching", "--since", time.strftime("%Y-%m-%d"))
        before = hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest()
        forecast = one.json("forecast")
        assert [m["step"] for m in forecast] == ["pitch-1", "pitch-2"] and forecast[0]["subject"] == "What we talked about"
        assert {"at", "contact", "rule", "step", "template", "subject"} <= set(forecast[0])
        assert hashlib.sha256(open(one.folder / "nurture.db", "rb").read()).hexdigest() == before
        assert not one.json("queue", "list", "--all") and not world.dovecot.messages(customer())
        assert "pitch 1" in one.run("forecast").stdout

    def test_limits_and_gaps_count(self, nurture, customer):
        one = nurture(rules=RULES, extra="limits = { per_day = 2; };")
        today = time.strftime("%Y-%m-%d")
        one.run("import", write_csv(one, [(customer(i), "K", "pitching", today, "UTC") for i in range(10)], COLUMNS))
        at = sorted(moment(m["at"]) for m in one.json("forecast", "--days", "20") if m["step"] == "pitch-1")
        assert len(at) == 10
        assert all(at[i + 2] - at[i] >= datetime.timedelta(days=1) for i in range(8))

    def test_another_configuration_is_compared(self, nurture, customer):
        one = nurture(rules=RULES)
        one.run("import", write_csv(one, [(customer(), "K", "pitching", time.strftime("%Y-%m-%d"), "UTC")], COLUMNS))
        text = open(one.config, encoding="utf-8").read()
        new = one.folder.write("new.conf", text.replace('"2 days"', '"3 days"').replace('{ after = "4 days"; template = "pitch-2"; same_thread = true; }', '{ after = "1 day"; template = "pitch-3"; }'), mode=0o600)
        changes = {(c["change"], c["step"]) for c in one.json("forecast", "--config", new)}
        assert changes == {("move", "pitch-1"), ("drop", "pitch-2"), ("add", "pitch-3")}
        assert "add 1, drop 1 and move 1" in one.run("forecast", "--config", new).stdout
        assert one.run("forecast", "--days", "0", check=False).returncode == 2


class TestViews:
    """Every view tells of the same messages. No server is needed: nothing leaves."""

    @pytest.fixture
    def offline(self, request):
        def make(**options):
            one = Nurture(Folder("nurture-forecast-"), account(server("smtps", 1), extra=options.pop("extra", "")), **{"rules": RULES, "days": "mon-fri",
                          "start": "09:00", "end": "17:00", **options})
            request.addfinalizer(one.folder.close)
            return one
        return make

    @pytest.fixture
    def many(self, offline):
        """30 people in five zones, on their way since some hours."""
        one = offline(min_gap="1 day")
        now = datetime.datetime.now(datetime.timezone.utc)
        rows = [(f"k{i}@kunde.example", f"N{i}", "follow-up" if i % 3 == 0 else "pitching", (now - datetime.timedelta(hours=i)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                 ZONES[i % len(ZONES)]) for i in range(30)]
        one.run("import", write_csv(one, rows, COLUMNS))
        return one

    @staticmethod
    def table(text):
        """The rows of a table, without its heading and what stands behind it."""
        return [line.split() for line in text.split("\n\n")[0].splitlines()[1:]]

    def test_views_add_up(self, many):
        messages = many.json("forecast")
        assert len(messages) == 50 and messages == sorted(messages, key=lambda m: m["at"])
        by_rule, by_contact = many.json("forecast", "--by", "rule"), many.json("forecast", "--by", "contact")
        steps = [("pitch", "pitch-1"), ("pitch", "pitch-2"), ("care", "welcome")]
        assert [(r["rule"], r["step"]) for r in by_rule] == steps
        for row in by_rule:
            own = [m["at"] for m in messages if (m["rule"], m["step"]) == (row["rule"], row["step"])]
            assert (row["messages"], row["first"], row["last"]) == (len(own), own[0], own[-1])
        assert {r["contact"] for r in by_contact} == {m["contact"] for m in messages}
        for row in by_contact:
            own = [m for m in messages if m["contact"] == row["contact"]]
            assert (row["messages"], row["next"], row["rule"], row["step"]) == (len(own), own[0]["at"], own[0]["rule"], own[0]["step"])
        for view, column in (("day", 2), ("rule", 2), ("contact", 1)):
            text = many.run("forecast", "--by", view).stdout
            assert sum(int(row[column]) for row in self.table(text)) == 50, text
            assert "50 messages to 30 contacts in 30 days, if nobody answers; times in Europe/Oslo" in text
        assert many.run("forecast", "--by", "day").stdout == many.run("forecast").stdout

    def test_a_line_a_message_in_the_zone_of_the_configuration(self, many):
        messages, rows = many.json("forecast"), self.table(many.run("forecast", "--by", "message").stdout)
        oslo = zoneinfo.ZoneInfo("Europe/Oslo")
        want = [moment(m["at"]).astimezone(oslo).strftime("%Y-%m-%d %a %H:%M ") + f'{m["contact"]} {m["rule"]} {m["step"]} {m["subject"]}' for m in messages]
        assert [" ".join(row) for row in rows] == want

    def test_one_person_and_one_rule(self, many):
        of_all = many.json("forecast")
        person = "k2@kunde.example"  # in Tokyo
        assert many.json("forecast", "--contact", person) == [m for m in of_all if m["contact"] == person]
        text = many.run("forecast", "--contact", person).stdout
        rows = self.table(text)
        assert [row[3:5] for row in rows] == [["pitch", "pitch-1"], ["pitch", "pitch-2"]] and "times in Asia/Tokyo" in text
        assert all("09:00" <= row[2] < "17:00" and row[1] not in ("Sat", "Sun") for row in rows)
        assert many.json("forecast", "--rule", "care") == [m for m in of_all if m["rule"] == "care"]
        assert [r["rule"] for r in many.json("forecast", "--by", "rule", "--rule", "care")] == ["care"]
        nothing = many.run("forecast", "--rule", "care", "--contact", person).stdout
        assert "nothing would leave" in nothing and f"nurture why {person}" in nothing

    def test_a_calendar(self, offline):
        rule = '{ name = "pitch"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "9 days"; template = "pitch-1"; } ); }'
        one = offline(rules=rule, days="every day", start="00:00", end="24:00")
        since = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Oslo")).replace(microsecond=0)
        day, holiday = since + datetime.timedelta(days=9), since + datetime.timedelta(days=16)
        ics = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", "BEGIN:VEVENT", "UID:1", f"DTSTART;VALUE=DATE:{holiday:%Y%m%d}",
                           "SUMMARY:Free", "END:VEVENT", "END:VCALENDAR", ""])
        one.folder.write("free.ics", ics)
        text = open(one.config, encoding="utf-8").read().replace("sending = {", 'sending = { holidays = [ "free.ics" ];')
        one.folder.write("nurture.conf", text, mode=0o600)
        one.run("import", write_csv(one, [(f"k{i}@kunde.example", "K", "pitching", since.isoformat(), "Europe/Oslo") for i in range(123)], COLUMNS))
        shown = one.run("forecast", "--calendar", "--days", "20").stdout
        assert "\033" not in shown and shown == one.run("forecast", "--by", "calendar", "--days", "20").stdout
        assert f"{day:%B %Y}: " in shown and "* holiday" in shown
        lines = shown.splitlines()
        row = [i for i, line in enumerate(lines) if "123" in line.split() and not any(map(str.isalpha, line))]
        assert len(row) == 1
        # the number stands under its date
        end = lines[row[0]].index("123") + 3
        assert lines[row[0] - 1][:end].split()[-1] == str(day.day)
        assert any(f"{holiday.day}*" in line.split() for line in lines)

    def test_changes_are_counted_by_rule_and_contact(self, many):
        text = open(many.config, encoding="utf-8").read()
        new = many.folder.write("new.conf", text.replace('template = "welcome"', 'template = "check-in"').replace('"4 days"', '"8 days"'), mode=0o600)
        changes = many.json("forecast", "--config", new)
        by_rule = {r["rule"]: r for r in many.json("forecast", "--config", new, "--by", "rule")}
        assert by_rule["care"] == {"rule": "care", "before": 10, "after": 10, "added": 10, "dropped": 10, "moved": 0}
        assert by_rule["pitch"] == {"rule": "pitch", "before": 40, "after": 40, "added": 0, "dropped": 0, "moved": 20}
        assert len(changes) == 40
        assert [c.get("after") or c["before"] for c in changes] == sorted(c.get("after") or c["before"] for c in changes)
        by_contact = many.json("forecast", "--config", new, "--by", "contact")
        for key, change in (("added", "add"), ("dropped", "drop"), ("moved", "move")):
            assert sum(r[key] for r in by_contact) == len([c for c in changes if c["change"] == change])
        shown = many.run("forecast", "--config", new).stdout
        assert "care: 10 added, 10 dropped, 0 moved\npitch: 0 added, 0 dropped, 20 moved\n" in shown
        assert "add 10, drop 10 and move 20" in many.run("forecast", "--config", new, "--by", "rule").stdout
        assert [c["rule"] for c in many.json("forecast", "--config", new, "--rule", "pitch", "--by", "rule")] == ["pitch"]
        assert many.run("forecast", "--config", many.config).stdout == "nothing would change\n"

    @pytest.mark.parametrize("words, status, told", [
        (["--by", "contcat"], 2, 'did you mean "contact"?'),
        (["--by", "year"], 2, "write one of: day, rule, contact, calendar, message"),
        (["--by", "rule", "--calendar"], 2, "write one of them"),
        (["k@kunde.example"], 2, "write --contact k@kunde.example"),
        (["calendar"], 2, "write --by calendar"),
        (["60"], 2, "write --days 60"),
        (["--days", "4000"], 2, "write a number from 1 to 3660"),
        (["--config", "nowhere.conf", "--calendar"], 2, "write --by message, --by rule or --by contact"),
        (["--config", "nowhere.conf"], 1, "there is no file"),
        (["--rule", "pich"], 1, 'did you mean "pitch"?'),
        (["--contact", "k@kunde.exampel"], 1, "did you mean k@kunde.example?"),
    ])
    def test_wrong_words_are_told(self, offline, words, status, told):
        one = offline()
        one.run("import", write_csv(one, [("k@kunde.example", "K", "pitching", time.strftime("%Y-%m-%d"), "UTC")], COLUMNS))
        result = one.run("forecast", *words, check=False)
        assert (result.returncode, result.stdout) == (status, "") and told in result.stderr

    def test_what_would_be_held_is_told_with_its_reason(self, request, offline):
        folder = Folder("nurture-templates-")
        request.addfinalizer(folder.close)
        folder.write("a.txt", "Subject: Hi\n\nDear {{first_name}}, {{discount}}\n")
        folder.write("b.txt", "Subject: Again\n\nHello\n")
        steps = '( { after = "0 days"; template = "a"; }, { after = "2 days"; template = "b"; } )'
        one = offline(templates=str(folder.path), rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ' + steps + '; }')
        today = time.strftime("%Y-%m-%d")
        one.run("import", write_csv(one, [(f"k{i}@kunde.example", "K", "pitching", today, "UTC", "10 %" if i else "") for i in range(3)], COLUMNS + ",discount"))
        text, rows = one.run("forecast").stdout, one.json("forecast", "--by", "rule")
        assert "1 of them would be held:\n  1: " in text and '"discount"' in text
        assert [(r["step"], r["messages"], r.get("held")) for r in rows] == [("a", 3, 1), ("b", 2, None)]  # what is held stands before the next step

    def test_what_limits_keep_until_it_is_too_late_is_told(self, offline):
        one = offline(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; } ); },'
                            '{ name = "q"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "40 days"; template = "pitch-2"; } ); }',
                      extra="limits = { per_day = 2; };", max_late="3 days")
        one.run("import", write_csv(one, [(f"k{i}@kunde.example", "K", "pitching", time.strftime("%Y-%m-%d"), "UTC") for i in range(20)], COLUMNS))
        rows, last = one.json("forecast", "--days", "20"), one.json("forecast", "--days", "20", "--by", "rule")[-1]
        assert all("at" in row for row in rows)  # scripts get messages, and nothing else
        reason = "the limits of account anna (per_day = 2) keep them waiting for longer than max_late (3 days)"
        assert len(rows) + last["left_out"] == 20 and last["left_out"] > 5
        assert last == {"rule": "r", "account": "anna", "left_out": last["left_out"], "reason": reason}
        assert f"{last['left_out']} messages of rule r would be left out: {reason}" in " ".join(one.run("forecast", "--days", "20").stdout.split())
        assert not [row for row in one.json("forecast", "--days", "20", "--rule", "q", "--by", "rule") if "left_out" in row]
        assert "left out" not in one.run("forecast", "--days", "20", "--contact", rows[0]["contact"]).stdout

    def test_tasks_are_told_apart(self, offline):
        steps = '( { after = "1 day"; template = "pitch-1"; }, { after = "2 days"; template = "pitch-2"; kind = "task"; } )'
        one = offline(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ' + steps + '; }')
        one.run("import", write_csv(one, [("k@kunde.example", "K", "pitching", time.strftime("%Y-%m-%d"), "UTC")], COLUMNS))
        assert [(m["step"], m.get("task")) for m in one.json("forecast")] == [("pitch-1", None), ("pitch-2", True)]
        assert [(m["step"], m.get("task")) for m in one.json("forecast", "--by", "rule")] == [("pitch-1", None), ("pitch-2", True)]
        text = one.run("forecast", "--by", "message").stdout
        assert text.count("task: pitch-2") == 1 and "task: pitch-1" not in text and "1 of them is a task for the owner" in text
        assert "task: pitch-2" in one.run("forecast", "--by", "rule").stdout

    def test_holidays_are_those_of_the_person(self, offline):
        one = offline(days="every day")
        today = datetime.datetime.now(datetime.timezone.utc)
        for name, days in (("no", 5), ("se", 6)):
            day = today + datetime.timedelta(days=days)
            one.folder.write(name + ".ics", "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//", "BEGIN:VEVENT", "UID:1",
                             f"DTSTART;VALUE=DATE:{day:%Y%m%d}", "SUMMARY:Free", "END:VEVENT", "END:VCALENDAR", ""]))
        text = open(one.config, encoding="utf-8").read()
        text = text.replace("sending = {", 'sending = { holidays = { default = [ "no.ics" ]; SE = [ "se.ics" ]; };')
        one.folder.write("nurture.conf", text, mode=0o600)
        rows = [(f"{who}@kunde.example", "N", "pitching", today.strftime("%Y-%m-%d"), "UTC", country) for who, country in (("n", "NO"), ("s", "se"))]
        one.run("import", write_csv(one, rows, COLUMNS + ",country"))

        def stars(*words):
            words_shown = one.run("forecast", "--calendar", *words).stdout.split()
            return [word[:-1] for word in words_shown if word.endswith("*") and word != "*"]
        days = [str((today + datetime.timedelta(days=n)).day) for n in (5, 6)]
        assert stars("--contact", "n@kunde.example") == days[:1] and stars("--contact", "s@kunde.example") == days[1:]
        assert sorted(stars()) == sorted(days)

    def test_before_the_first_import(self, offline):
        result = offline().run("forecast")
        assert result.stdout == "" and "nothing is stored yet" in result.stderr
