"""Signing in with OAuth2 tokens and by other ways, on a real Dovecot and Postfix, with a provider on loopback over HTTPS."""
import json
import os
import re
import signal
import stat
import subprocess
import urllib.request

import pytest
from conftest import PASSWORD, days_ago, wait_for, write_csv
from world import Folder
from world.authority import Authority
from world.dovecot import Dovecot
from world.nurture import BIN, Nurture, account, server
from world.postfix import Postfix
from world.token_server import CLIENT, SECRET, TokenServer

ANNA = "anna@example.com"
MECHANISMS = ["xoauth2", "oauthbearer", "xoauth2 oauthbearer plain login"]


class World:
    """One Dovecot and Postfix for each set of mechanisms, made when first asked for; one provider for all."""

    def __init__(self):
        self.folder = Folder("nurture-oauth-")
        self.authority = Authority(self.folder.path)
        self.certificate, self.key = self.authority.issue("server")
        self.provider = TokenServer(self.certificate, self.key).start()
        self.made = {}

    def servers(self, mechanisms):
        if mechanisms not in self.made:
            folder = Folder("nurture-oauth-")
            dovecot = Dovecot(folder, self.certificate, self.key, mechanisms, (self.provider.url("introspect"), self.authority.file)).start()
            postfix = Postfix(folder, dovecot, self.certificate, self.key, ["example.com", "kunde.example"], open_relay=False).start()
            self.made[mechanisms] = (folder, dovecot, postfix)
        return self.made[mechanisms][1:]

    def close(self):
        self.provider.stop()
        for folder, dovecot, postfix in self.made.values():
            postfix.stop()
            dovecot.stop()
            folder.close()
        self.folder.close()


@pytest.fixture(scope="module")
def world():
    if Postfix.missing():
        pytest.skip(Postfix.missing())
    world = World()
    yield world
    world.close()


@pytest.fixture
def provider(world):
    provider = world.provider
    if not provider.server:
        provider.start()
    provider.lifetime, provider.rotate, provider.broken, provider.polls, provider.user = 3600, True, None, [], ANNA
    provider.refresh.clear()
    provider.access.clear()
    del provider.requests[:], provider.secrets[1:]
    return provider


def auth(world, **changes):
    provider = world.provider
    keys = {"method": "oauth2", "client_id": CLIENT, "client_secret": SECRET, "token_url": provider.url("token"),
            "device_url": provider.url("device"), "authorize_url": provider.url("authorize"), "ca_file": world.authority.file, **changes}
    return "{ " + " ".join(f'{name} = "{value}";' for name, value in keys.items() if value) + " }"


@pytest.fixture
def nurture(world, provider):
    """make(mechanisms) gives a Nurture whose account signs in with tokens at both servers. At its end no secret is anywhere."""
    made = []

    def make(mechanisms=MECHANISMS[2], authorize=True, extra="", **changes):
        dovecot, postfix = world.servers(mechanisms)
        out = server("smtp", postfix.smtp, world.authority.file, extra="connections = 2;")
        way_in = server("imaps", dovecot.imaps, world.authority.file)
        one = Nurture(Folder("nurture-one-"), account(out, way_in, address=ANNA, extra=f"auth = {auth(world, **changes)}; {extra}"))
        one.dovecot, one.said = dovecot, []
        made.append(one)
        if authorize:
            one.said.append(one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh(ANNA) + "\n").stdout)
        return one
    yield make
    for one in made:
        if one.process:
            check_processes(one, provider)
            one.said.append(one.run("status", "--json").stdout)
            one.said.append(one.run("account", "list", "--json").stdout)
        status = one.stop()
        text = one.log_text() if os.path.exists(one.log) else ""
        one.folder.close()
        assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text and "CRITICAL" not in text, text
        for secret in provider.secrets:
            assert secret not in text and all(secret not in said for said in one.said), secret


def check_processes(one, provider):
    """No secret stands in the words or the environment of a process of ours."""
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(one.process.pid)], capture_output=True, text=True, check=False).stdout.split()
    for pid in [str(one.process.pid), *children]:
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    text = file.read().decode(errors="replace")
            except OSError:
                continue
            assert not [secret for secret in provider.secrets if secret in text]


def token_file(one):
    return os.path.join(one.folder / "nurture.db.tokens", "anna.json")


def stored(one):
    with open(token_file(one), encoding="utf-8") as file:
        return json.load(file)


def status(one):
    return one.json("status")[0]["accounts"][0]


def customer(n, name):
    return f"k{n}-{name}@kunde.example"


def add_due(one, name, n=1):
    """Contacts whose first message is due."""
    one.run("import", write_csv(one, [(customer(i, name), "Kari", "pitching", days_ago(4), "en") for i in range(n)]))


def arrived(one, name, n=0):
    return len(one.dovecot.messages(customer(n, name)) if "plain" in one.dovecot.mechanisms else one.history(customer(n, name), "sent"))


class TestMechanisms:
    @pytest.mark.parametrize("mechanisms", MECHANISMS)
    def test_mail_leaves_and_the_mailbox_is_watched(self, nurture, mechanisms):
        name = "mech" + str(MECHANISMS.index(mechanisms))
        one = nurture(mechanisms)
        add_due(one, name)
        one.start().wait_watching()
        wait_for(lambda: one.history(customer(0, name), "sent"), 20, what=one.log_text)
        one.dovecot.deliver(ANNA, f"From: {customer(0, name)}\r\nTo: {ANNA}\r\nSubject: s\r\nMessage-ID: <{name}@kunde.example>\r\n\r\nyes\r\n".encode())
        wait_for(lambda: one.history(customer(0, name), "reply"), 10, what=one.log_text)

    @pytest.mark.parametrize("mechanisms,method", [("plain", "auto"), ("login", "auto"), ("cram-md5", "auto"), ("plain cram-md5", "cram-md5"),
                                                   ("plain login", "plain"), ("plain login", "login")])
    def test_passwords(self, world, mechanisms, method):
        dovecot, postfix = world.servers(mechanisms)
        extra = f'auth = {{ method = "{method}"; }};'
        out = server("smtp", postfix.smtp, world.authority.file, ANNA, PASSWORD, extra=extra)
        way_in = server("imaps", dovecot.imaps, world.authority.file, ANNA, PASSWORD, extra=extra)
        one = Nurture(Folder("nurture-one-"), account(out, way_in, address=ANNA))
        name = f"pw-{method}-{mechanisms.replace(' ', '-')}"
        try:
            add_due(one, name)
            one.start().wait_watching()
            wait_for(lambda: one.history(customer(0, name), "sent"), 20, what=one.log_text)
            assert PASSWORD not in one.log_text()
        finally:
            one.stop()
            one.folder.close()
