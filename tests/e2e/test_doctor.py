"""`nurture doctor`: what sending depends on, found and named; against real servers and a real name server."""
import json
import os

import pytest
from conftest import parse
from world import Folder, wait_for
from world.names import Names
from world.dovecot import PASSWORD
from world.nurture import BIN, Nurture, account, server

NOWHERE = '{ url = "smtp://127.0.0.1:9"; tls = "none"; }'
STEP = '{ name = "one"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "one"; } ); }'


def findings(result):
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def of(found, check, name=None):
    """The levels of a check, or the one finding of it."""
    assert all(set(one) == {"level", "account", "check", "found", "advice"} for one in found)
    chosen = [one for one in found if one["check"] == check and (name is None or one["account"] == name)]
    assert chosen, f"{check}: {found}"
    return chosen[0]


@pytest.fixture
def folder():
    made = Folder("nurture-doctor-")
    yield made
    made.close()


class TestServers:
    """SMTP by STARTTLS and IMAP with TLS, real ones."""

    def make(self, world, folder, anna, password=PASSWORD, folders='"INBOX"', sent="Sent", port=None):
        out = server("smtp", port or world.postfix.smtp, world.authority.file, anna, password)
        way_in = server("imaps", world.dovecot.imaps, world.authority.file, anna, password,
                        extra=f'folders = [ {folders} ]; sent_folder = "{sent}";')
        return Nurture(folder, account(out, way_in, address=f"Anna Berg <{anna}>"))

    def doctor(self, nurture):
        return findings(nurture.run("doctor", "anna", "--json", check=False))

    def test_all_is_well(self, world, postfix, folder, anna):
        world.dovecot.deliver(anna, b"From: a@kunde.example\r\nSubject: hello\r\n\r\nhello\r\n")
        found = self.doctor(self.make(world, folder, anna))
        for check in ("smtp", "imap", "folder", "sent folder"):
            assert of(found, check)["level"] == "ok", found
        assert of(found, "sent folder")["found"] == "Sent can be read"
        assert f"STARTTLS, signed in as {anna}" in of(found, "smtp")["found"]
        assert of(found, "store")["level"] == "warn" and "not made yet" in of(found, "store")["found"]
        messages = world.dovecot.messages(anna)
        assert len(messages) == 1 and b"\\Seen" not in messages[0][0]  # nothing was sent, and nothing touched

    def test_wrong_password(self, world, postfix, folder, anna):
        result = self.make(world, folder, anna, password="hush-hush").run("doctor", "--json", check=False)
        found = findings(result)
        assert result.returncode == 1
        assert of(found, "smtp")["level"] == "fail" and "535" in of(found, "smtp")["found"]
        assert "password" in of(found, "smtp")["advice"]
        assert of(found, "imap")["level"] == "fail"
        assert "hush-hush" not in result.stdout

    def test_missing_folders_are_each_named(self, world, postfix, folder, anna):
        found = self.doctor(self.make(world, folder, anna, folders='"INBOX", "Kunder", "Partnere"', sent="Sendt"))
        levels = {one["found"].split(":")[0].split(" ")[0]: one["level"] for one in found if one["check"] == "folder"}
        assert levels == {"INBOX": "ok", "Kunder": "fail", "Partnere": "fail"}
        assert of(found, "sent folder")["level"] == "warn" and "Sendt" in of(found, "sent folder")["found"]
        assert of(found, "imap")["level"] == "ok"

    def test_untrusted_certificate(self, world, postfix, folder, anna):
        made = server("smtps", world.postfix.smtps, None, anna, PASSWORD)
        found = findings(Nurture(folder, account(made, address=anna)).run("doctor", "--json", check=False))
        assert of(found, "smtp")["level"] == "fail" and "certificate" in of(found, "smtp")["found"]

    def test_the_daemon_and_what_it_says(self, nurture):
        one = nurture().start()
        one.wait_watching()
        found = findings(one.run("doctor", "--json", check=False))
        assert of(found, "daemon")["level"] == "ok" and of(found, "store")["level"] == "ok"
        one.run("pause", "anna")
        sending = of(findings(one.run("doctor", "--json", check=False)), "sending", "anna")
        assert sending["level"] == "warn" and "resume" in sending["advice"]


RECORDS = [
    "mx-host=good.example,second.good.example,20", "mx-host=good.example,first.good.example,10",
    "txt-record=good.example,some-verification=1", "txt-record=good.example,v=spf1 include:_spf.good.example -all",
    "txt-record=_dmarc.good.example,v=DMARC1; p=quarantine; rua=mailto:d@good.example",
    "txt-record=mail2026._domainkey.good.example,v=DKIM1; k=ed25519; ,p=MCowBQYDK2VwAyEA",
    "dns-rr=bad.example,15,0000" + "00",  # MX 0 .
    "txt-record=bad.example,v=spf1 a -all", "txt-record=bad.example,v=spf1 mx ~all",
    "txt-record=_dmarc.bad.example,v=DMARC1; rua=mailto:d@bad.example",
    "txt-record=mail2026._domainkey.bad.example,v=DKIM1; p=",
    # bytes that are no text, strings that end outside of the record, and a name that points at itself
    "dns-rr=evil.example,16,04fffe0a1b", "dns-rr=evil.example,16,ff41", "dns-rr=evil.example,15,000affff",
    "dns-rr=_dmarc.evil.example,16,00", "dns-rr=mail2026._domainkey.evil.example,15,00",
]


class TestNames:
    """What is published in a sending domain's name."""

    @pytest.fixture(scope="class")
    def names(self):
        missing = Names.missing()
        if missing:
            pytest.skip(missing)
        folder = Folder("nurture-names-")
        names = Names(folder, RECORDS).start()
        yield names
        names.stop()
        folder.close()

    def doctor(self, names, folder, domain, extra='dkim_selector = "mail2026";'):
        nurture = Nurture(folder, account(NOWHERE, address=f"anna@{domain}", extra=extra))
        return findings(names.run([os.path.join(BIN, "nurture"), "-c", nurture.config, "doctor", "--json"]))

    def test_a_domain_that_is_in_order(self, names, folder):
        found = self.doctor(names, folder, "good.example")
        assert [of(found, check)["level"] for check in ("mx", "spf", "dmarc", "dkim")] == ["ok"] * 4, found
        assert of(found, "mx")["found"].endswith("first.good.example, second.good.example")
        assert "ed25519" in of(found, "dkim")["found"]

    def test_a_domain_below_has_the_policy_above(self, names, folder):
        found = self.doctor(names, folder, "mail.sales.good.example", extra="")
        assert of(found, "dmarc")["level"] == "ok" and "_dmarc.good.example" in of(found, "dmarc")["found"]
        assert of(found, "spf")["level"] == "fail" and of(found, "mx")["level"] == "fail"
        assert of(found, "dkim")["level"] == "not asked" and "dkim_selector" in of(found, "dkim")["advice"]

    def test_what_is_wrong_is_named(self, names, folder):
        found = self.doctor(names, folder, "bad.example")
        assert [of(found, check)["level"] for check in ("mx", "spf", "dmarc", "dkim")] == ["fail"] * 4, found
        assert "takes no mail" in of(found, "mx")["found"] and "2 SPF records" in of(found, "spf")["found"]
        assert "names no policy" in of(found, "dmarc")["found"] and "revoked" in of(found, "dkim")["found"]

    def test_records_that_nobody_should_send(self, names, folder):
        found = self.doctor(names, folder, "evil.example")
        assert [of(found, check)["level"] for check in ("mx", "spf", "dmarc", "dkim")] == ["fail"] * 4, found

    def test_without_a_name_server_nothing_fails_for_it(self, names, folder):
        other = Names(folder, [])  # not started
        found = self.doctor(other, folder, "good.example")
        assert [of(found, check)["level"] for check in ("mx", "spf", "dmarc", "dkim")] == ["not asked"] * 4, found


class TestTemplates:
    def doctor(self, folder, templates, rules=STEP):
        for name, content in templates.items():
            if isinstance(content, bytes):
                folder.write("templates/" + name, "")
                with open(folder / f"templates/{name}", "wb") as file:
                    file.write(content)
            else:
                folder.write("templates/" + name, content)
        nurture = Nurture(folder, account(NOWHERE), rules=rules, templates=folder / "templates")
        return findings(nurture.run("doctor", "--json", check=False))

    def test_what_no_rule_uses_and_what_is_heavy(self, folder):
        os.makedirs(folder / "templates")
        heavy = b"%PDF-1.4\n" + os.urandom(1100 * 1000)
        found = self.doctor(folder, {"one.md": "Subject: One\nAttach: offer.pdf\n\nHello\n", "offer.pdf": heavy,
                                     "two.md": "Subject: Two\n\nHello\n", "two.nb.md": "Subject: To\n\nHei\n"})
        said = [one for one in found if one["check"] == "templates"]
        assert [one["level"] for one in said] == ["ok", "warn", "warn"], said
        assert "one.md" in said[1]["found"] and "1.1 MB" in said[1]["found"]
        assert said[2]["found"] == "no rule uses two"

    def test_faults_are_failures(self, folder):
        os.makedirs(folder / "templates")
        found = self.doctor(folder, {"one.md": "No subject\n"})
        assert of(found, "templates")["level"] == "fail" and "one.md" in of(found, "templates")["found"]


class TestUsage:
    def test_faults_of_the_configuration(self, folder):
        nurture = Nurture(folder, account(NOWHERE, extra='dkim_selector = "a b"; colour = "red";'))
        result = nurture.run("doctor", "--json", check=False)
        assert result.returncode == 1
        found = findings(result)
        assert {one["level"] for one in found} == {"fail"} and {one["check"] for one in found} == {"configuration"}
        assert any("dkim_selector" in one["found"] for one in found) and any("colour" in one["found"] for one in found)

    def test_one_account(self, folder):
        nurture = Nurture(folder, account(NOWHERE) + ", " + account(NOWHERE, name="per", address="per@example.com"))
        found = findings(nurture.run("doctor", "per", "--json", check=False))
        assert {one["account"] for one in found} == {"", "per"}
        refused = nurture.run("doctor", "pers", check=False)
        assert refused.returncode == 1 and 'did you mean per?' in refused.stderr.replace('"', "")

    def test_for_people(self, folder):
        result = Nurture(folder, account(NOWHERE)).run("doctor", check=False)
        lines = result.stdout.splitlines()
        assert result.returncode == 1 and lines[-1].endswith(" to mend")
        assert any(line.startswith("fail") and "anna" in line and "smtp:" in line for line in lines)
