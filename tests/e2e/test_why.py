"""nurture why: the gate that decides is named, for each of the gates, and what does not hold for who is not enrolled."""
import time

import pytest
from conftest import days_ago, wait_for, write_csv

RULE = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "pitch-1"; }, { after = "1 day"; template = "pitch-2"; } ); }'
OTHER = '{ name = "o"; anchor = "customer"; when = { customer = true; tag = "happy"; }; steps = ( { age = "1 day"; template = "referral"; } ); }'


def why(one, person, rule="r"):
    return [entry for entry in one.json("why", person) if entry["rule"] == rule][0]


def enrolled(one, person, step="pitch-1"):
    return wait_for(lambda: (entry := why(one, person))["enrolled"] and entry["step"] == step and entry, 15)


class TestWhy:
    def test_who_is_not_enrolled_is_told_by_the_condition(self, nurture, customer):
        one = nurture(rules=RULE + "," + OTHER)
        one.run("import", write_csv(one, [(customer(), "K", "research", days_ago(4), "en")]))
        assert why(one, customer())["reason"] == 'stage is "research", not "pitching"'
        assert why(one, customer(), "o")["reason"] == "not a customer"
        assert "not enrolled" in one.run("why", customer()).stdout
        one.run("contact", "stage", customer(), "follow-up", "--since", days_ago(1))
        assert why(one, customer(), "o")["reason"] == 'tag "happy" is not set'

    def test_an_open_step_waits_for_its_time_alone(self, nurture, customer):
        one = nurture(rules=RULE).start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(0.5), "en")]))
        enrolled(one, customer())
        one.wait_watching()
        entry = why(one, customer())
        assert entry["decides"] == "" and entry["earliest"] == entry["due_at"] and all(gate["verdict"] == "open" for gate in entry["gates"])

    @pytest.mark.parametrize("gate", ["paused", "account", "window", "min_gap", "limits", "blind", "late"])
    def test_the_gate_that_decides_is_named(self, world, nurture, customer, gate):
        now = time.gmtime(time.time())
        options = {
            "window": {"start": "23:58" if now.tm_hour < 12 else "00:01", "end": "23:59" if now.tm_hour < 12 else "00:02"},
            "min_gap": {"min_gap": "2 days"},
            "limits": {"extra": "limits = { per_day = 1; };"},
            "blind": {"blind_after": "1 second"},
        }.get(gate, {})
        one = nurture(rules=RULE, **options)
        person = customer()
        if gate == "account":  # before anybody is there to whom a message could leave
            one.start().run("pause")
        one.run("import", write_csv(one, [(person, "K", "pitching", days_ago({"late": 0.5, "window": 3}.get(gate, 1.5)), "en"), (customer(1), "L", "pitching", days_ago(1.4), "en")]))
        if gate == "paused":
            one.start()
            one.run("contact", "pause", person, "--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 2 * 86400)))
        elif gate == "late":
            one.start()
            enrolled(one, person)
            one.stop()
            one.run("contact", "stage", person, "pitching", "--since", days_ago(30))
            one.start()
            wait_for(lambda: one.history(person, "skipped"), 10)
            return
        elif gate == "blind":
            one.folder.write("nurture.conf", open(one.config, encoding="utf-8").read().replace("imaps://localhost", "imaps://localhost.invalid"), mode=0o600)
            one.start()
            wait_for(lambda: one.json("status")[0]["accounts"][0]["sending"] == "blind", 15)
        elif gate != "account":
            one.start()
        if gate in ("min_gap", "limits"):
            wait_for(lambda: one.history(person, "sent"), 15)
            person = person if gate == "min_gap" else customer(1)
        entry = enrolled(one, person, "pitch-2" if gate == "min_gap" else "pitch-1")
        wait_for(lambda: why(one, person)["decides"] == gate, 5, what=lambda: str(why(one, person)))
        entry = why(one, person)
        decisive = [g for g in entry["gates"] if g["gate"] == gate][0]
        assert decisive["verdict"] == "wait" and decisive["reason"]
        if gate in ("window", "min_gap", "limits", "paused"):
            assert entry["earliest"] > time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def test_who_answered_or_is_suppressed_is_told_so(self, nurture, customer):
        one = nurture(rules=RULE).start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(0.5), "en")]))
        enrolled(one, customer())
        one.run("contact", "stage", customer(), "negotiating")
        wait_for(lambda: not why(one, customer())["enrolled"], 10)
        assert why(one, customer())["reason"].startswith("ended: stage-change")

    def test_a_date_that_is_not_known_is_no_day_of_the_year_9999(self, nurture, customer):
        one = nurture(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { on = "renewal"; template = "pitch-1"; } ); }').start()
        one.run("import", write_csv(one, [(customer(), "K", "pitching", days_ago(1), "en")]))
        assert enrolled(one, customer())["reason"].startswith('waits for a date in the attribute "renewal"')
        shown = one.run("contact", "show", customer()).stdout + one.run("contact", "show", customer(), "--json").stdout + one.run("why", customer()).stdout
        assert "not known yet" in shown and "9999" not in shown and "never" not in shown and "at once" not in shown
