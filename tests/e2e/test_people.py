"""`nurture company` and `nurture contact alias`: what people of one company share, and further addresses of one person."""
import datetime
import os
import sqlite3
import zoneinfo

import pytest
from world import Folder, wait_for
from world.nurture import Nurture, account

KARI, OLA = "kari@fjord.example", "ola@fjord.example"


@pytest.fixture
def one():
    folder = Folder("nurture-people-")
    nurture = Nurture(folder, accounts=account('{ url = "smtp://127.0.0.1:9"; tls = "none"; }'), start="09:00", end="10:00")
    nurture.run("contact", "add", KARI, "--company", "Fjord AS", "--stage", "pitching", "--first-name", "Kari")
    nurture.run("contact", "add", OLA, "--company", "fjord as", "--time-zone", "Asia/Tokyo")
    nurture.run("contact", "add", "per@berg.example", "--company", "Bergen Bygg")
    yield nurture
    nurture.stop()
    folder.close()


def refused(one, *arguments, status=1):
    result = one.run(*arguments, check=False)
    assert result.returncode == status, result.stderr
    return result.stderr


def marks(one):
    with sqlite3.connect(one.folder / "nurture.db") as connection:
        found = [row[0] for row in connection.execute("SELECT c.email FROM mark m JOIN contact c ON c.id = m.contact_id ORDER BY 1")]
        connection.execute("DELETE FROM mark")
    return found


class TestCompany:
    def test_list_and_show(self, one):
        one.run("company", "set", "FJORD AS", "--time-zone", "America/New_York", "Sector=fish", "size=40 people")
        fjord = {"name": "Fjord AS", "time_zone": "America/New_York", "attributes": {"sector": "fish", "size": "40 people"}, "contacts": 2}
        assert one.json("company", "list") == [{"name": "Bergen Bygg", "time_zone": "", "attributes": {}, "contacts": 1}, fjord]
        assert one.json("company", "show", "fjord as") == [fjord | {"people": [KARI, OLA]}]
        table = [line.split() for line in one.run("company").stdout.splitlines()]
        assert table[0] == ["NAME", "CONTACTS", "TIME", "ZONE", "ATTRIBUTES"] and table[2][:4] == ["Fjord", "AS", "2", "America/New_York"]
        shown = one.run("company", "show", "Fjord AS").stdout
        assert "sector = fish, size = 40 people" in shown and KARI in shown and "per@" not in shown

    def test_what_is_set_marks_its_people_and_an_empty_value_clears(self, one):
        marks(one)
        assert one.json("company", "set", "Fjord AS", "sector=fish") == [{"company": "Fjord AS", "result": "changed"}]
        assert marks(one) == [KARI, OLA]
        assert one.json("company", "set", "Fjord AS", "sector=fish") == [{"company": "Fjord AS", "result": "unchanged"}]
        assert marks(one) == []
        one.run("company", "set", "Fjord AS", "--time-zone", "Asia/Tokyo", "sector=")
        one.run("company", "set", "Fjord AS", "--time-zone", "")
        company = one.json("company", "show", "Fjord AS")[0]
        assert company["attributes"] == {} and company["time_zone"] == ""

    def test_the_zone_counts_for_those_without_one_and_at_once(self, one):
        one.run("contact", "stage", OLA, "pitching")
        one.start()

        def local_hour(address, zone):
            due = one.json("contact", "show", address)[0]["enrolments"][0].get("due_at")
            return due and datetime.datetime.fromisoformat(due.replace("Z", "+00:00")).astimezone(zoneinfo.ZoneInfo(zone)).hour
        wait_for(lambda: one.json("contact", "show", OLA)[0]["enrolments"] and one.json("contact", "show", KARI)[0]["enrolments"], 20)
        assert (local_hour(KARI, "Europe/Oslo"), local_hour(OLA, "Asia/Tokyo")) == (9, 9)
        one.run("company", "set", "Fjord AS", "--time-zone", "America/New_York")
        wait_for(lambda: local_hour(KARI, "America/New_York") == 9, 20)
        assert local_hour(OLA, "Asia/Tokyo") == 9

    @pytest.mark.parametrize("arguments, status, says", [
        (("show", "Fjor AS"), 1, 'no company is called "Fjor AS"; did you mean "Fjord AS"?'),
        (("set", "Zebra", "a=b"), 1, 'nurture contact add EMAIL --company "Zebra"'),
        (("set", "Fjord AS"), 2, "nothing to set is given; write --time-zone ZONE or KEY=VALUE"),
        (("set", "Fjord", "AS", "a=b"), 1, '"AS" has no "="; write KEY=VALUE'),
        (("set", "Fjord AS", "--time-zone", "Oslo"), 1, "--time-zone: "),
        (("set", "Fjord AS", "time zone=Europe/Oslo"), 1, "write --time-zone ZONE"),
        (("set", "Fjord AS", "Name=x"), 1, "write another key"),
        (("set", "Fjord AS", "a=\x1b"), 1, "has control characters"),
        (("set", "Fjord AS", "?=1"), 1, "is no name for an attribute"),
        (("show", "Fjord", "AS"), 2, "put quotation marks around what belongs together"),
        (("show",), 2, "NAME is missing"),
    ])
    def test_bad_input(self, one, arguments, status, says):
        before = one.json("company", "list")
        fault = refused(one, "company", *arguments, status=status)
        assert says in fault and "\x1b" not in fault and one.json("company", "list") == before


class TestAlias:
    def test_added_shown_and_removed(self, one):
        marks(one)
        assert one.json("contact", "alias", KARI, "add", "K@Home.example") == [{"contact": KARI, "alias": "k@home.example", "result": "added"}]
        assert marks(one) == [KARI]
        assert one.json("contact", "alias", KARI, "add", "k@home.example")[0]["result"] == "unchanged"
        assert one.json("contact", "show", "k@home.example")[0]["aliases"] == ["k@home.example"]
        assert "also            k@home.example" in one.run("contact", "show", KARI).stdout
        assert one.run("contact", "alias", "k@home.example", "remove", "k@home.example").stdout == f"{KARI}: k@home.example removed\n"
        assert one.json("contact", "show", KARI)[0]["aliases"] == [] and marks(one) == [KARI]

    def test_comes_under_a_suppression_and_leaves_it(self, one):
        one.run("suppression", "add", "k@home.example", "--reason", "unsubscribe")
        assert f"{KARI} is never mailed any more" in one.run("contact", "alias", KARI, "add", "k@home.example").stderr
        assert one.json("contact", "show", KARI)[0]["suppressed"] == "unsubscribe"
        assert "can be mailed again" in one.run("contact", "alias", KARI, "remove", "k@home.example").stderr

    def test_of_somebody_who_was_erased(self, one):
        one.run("suppression", "add", OLA, "--reason", "complaint")
        one.run("contact", "forget", OLA, "--yes")
        assert "is never mailed any more" in one.run("contact", "alias", KARI, "add", OLA).stderr
        assert one.json("contact", "show", KARI)[0]["suppressed"] == "complaint"

    @pytest.mark.parametrize("arguments, status, says", [
        ((KARI, "add", OLA), 1, f"{OLA} is a contact of its own"),
        ((KARI, "add", "o@home.example"), 1, f"nurture contact alias {OLA} remove o@home.example"),
        ((KARI, "add", "anna@example.com"), 1, "one of our own people"),
        ((KARI, "add", "kari"), 1, "kari"),
        ((KARI, "remove", KARI), 1, "is the address they are known by"),
        ((KARI, "remove", "x@home.example"), 1, "is no alias of kari@fjord.example, who has none"),
        ((OLA, "remove", "p@home.example"), 1, 'did you mean "o@home.example"?'),
        ((KARI, "delete", "x@home.example"), 2, "neither add nor remove"),
        ((KARI, "add"), 2, "ADDRESS is missing"),
        (("kar@fjord.example", "add", "x@home.example"), 1, f"did you mean {KARI}?"),
    ])
    def test_bad_input(self, one, arguments, status, says):
        one.run("contact", "alias", OLA, "add", "o@home.example")
        assert says in refused(one, "contact", "alias", *arguments, status=status)
        assert one.json("contact", "show", KARI)[0]["aliases"] == []

    def test_makes_no_store(self, one):
        os.remove(one.folder / "nurture.db")
        refused(one, "contact", "alias", KARI, "add", "k@home.example")
        refused(one, "company", "set", "Fjord AS", "a=b")
        assert not os.path.exists(one.folder / "nurture.db")
