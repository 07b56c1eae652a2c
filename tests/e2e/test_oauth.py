"""Signing in with OAuth2 tokens and by other ways, on a real Dovecot and Postfix, with a provider on loopback over HTTPS."""
import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.parse
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


class TestLife:
    def test_a_token_is_renewed_before_it_ends_and_rotated(self, nurture, provider):
        provider.lifetime = 5
        one = nurture()
        first = stored(one)["refresh_token"]
        one.start().wait_watching()
        wait_for(lambda: provider.count("/token", grant_type="refresh_token") >= 5, 30, what=one.log_text)
        add_due(one, "life")
        wait_for(lambda: one.history(customer(0, "life"), "sent"), 20, what=one.log_text)
        signed_in, renewed = provider.count("/introspect"), provider.count("/token")
        wait_for(lambda: provider.count("/token") > renewed + 1, 20)
        add_due(one, "life-2")
        wait_for(lambda: one.history(customer(0, "life-2"), "sent"), 20, what=one.log_text)
        assert provider.count("/introspect") > signed_in, "a connection whose token has ended signs in anew"
        used = [form["refresh_token"] for path, form in provider.requests if path == "/token"]
        assert len(set(used)) == len(used), "a rotated refresh token was used again"
        assert stored(one)["refresh_token"] != first and stored(one)["refresh_token"] in provider.refresh
        assert status(one)["mailbox"] == "watching" and "mailbox-unreachable" not in one.log_text()

    def test_a_token_that_ends_before_its_time_is_replaced(self, nurture, provider):
        one = nurture()
        provider.end_access()
        add_due(one, "early", 3)
        one.start().wait_watching()
        for n in range(3):
            wait_for(lambda n=n: one.history(customer(n, "early"), "sent"), 20, what=one.log_text)
        assert provider.count("/token", grant_type="refresh_token") == 2, "one to try it, one to replace it"
        assert "token-refused" in one.log_text()

    def test_one_refused_while_it_is_new_is_not_renewed_again_and_again(self, nurture, provider):
        provider.refresh.clear()
        one = nurture(authorize=False)
        one.said.append(one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh("kari@example.com") + "\n").stdout)
        add_due(one, "other")
        one.start()
        wait_for(lambda: "sign-in refused" in status(one).get("mailbox_reason", ""), 20, what=one.log_text)
        wait_for(lambda: provider.count("/token") >= 2, 10)
        wait_for(lambda: one.log_text().count("mailbox-unreachable") >= 2, 20, what=one.log_text)
        assert provider.count("/token") == 2
        assert not one.history(customer(0, "other"), "sent")

    def test_a_withdrawn_grant_pauses_the_account_until_it_is_authorized(self, nurture, provider):
        provider.lifetime = 6
        one = nurture()
        one.start().wait_watching()
        provider.revoke_all()
        wait_for(lambda: status(one)["sending"] == "paused", 20, what=one.log_text)
        assert "does not take the token any more (invalid_grant: Token … has been expired or revoked.)" in status(one)["sending_reason"]
        assert status(one)["sending_reason"].endswith("write: nurture account authorize anna")
        assert "invalid_grant" in one.run("account", "list").stdout
        add_due(one, "gone")
        one.stop()
        asked = provider.count("/token")
        one.start()
        wait_for(lambda: status(one)["sending"] == "paused" and status(one)["mailbox"] == "failed", 10, what=one.log_text)
        assert "nurture account authorize anna" in status(one)["mailbox_reason"]
        assert provider.count("/token") == asked, "what is known to be withdrawn is not tried"
        provider.lifetime = 3600
        said = one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh(ANNA) + "\n").stdout
        assert "anna is authorized, and nurtured uses it" in said
        wait_for(lambda: one.history(customer(0, "gone"), "sent"), 20, what=one.log_text)
        assert status(one)["mailbox"] == "watching"

    @pytest.mark.parametrize("fault", ["503", "garbage", "no answer"])
    def test_mail_waits_while_the_provider_is_down(self, nurture, provider, fault):
        name = "down-" + fault.replace(" ", "-")
        one = nurture()
        provider.end_access()
        provider.broken = {"503": (503, b"<html>busy</html>", [("Retry-After", "1")]), "garbage": (200, b'{"access_token": 7')}.get(fault)
        if fault == "no answer":
            provider.stop()
        with open(token_file(one), encoding="utf-8") as file:
            old = json.load(file)
        with open(token_file(one), "w", encoding="utf-8") as file:
            json.dump({**old, "expires_ms": old["obtained_ms"]}, file)
        add_due(one, name, 3)
        one.start()
        wait_for(lambda: status(one)["sending"] == "waiting" and "no access token from https://localhost" in status(one)["sending_reason"], 10,
                 what=one.log_text)
        assert status(one)["queue"] == {"queued": 3}
        provider.broken = None
        if fault == "no answer":
            provider.start()
        for n in range(3):
            wait_for(lambda n=n: one.history(customer(n, name), "sent"), 30, what=one.log_text)
            assert len(one.history(customer(n, name), "sent")) == 1

    def test_one_that_cannot_be_renewed_serves_until_it_ends_and_the_status_warns(self, nurture, provider):
        one = nurture()
        provider.broken = (503, b"")
        with open(token_file(one), encoding="utf-8") as file:
            old = json.load(file)
        with open(token_file(one), "w", encoding="utf-8") as file:
            json.dump({**old, "obtained_ms": old["obtained_ms"] - 3600000, "expires_ms": old["obtained_ms"] + 60000}, file)
        add_due(one, "last")
        one.start().wait_watching()
        wait_for(lambda: one.history(customer(0, "last"), "sent"), 20, what=one.log_text)
        wait_for(lambda: "it answered HTTP 503" in status(one).get("sending_reason", ""), 10, what=one.log_text)
        assert status(one)["sending"] == "ready"

    def test_a_client_that_the_provider_does_not_know(self, nurture, provider):
        one = nurture(authorize=False, client_secret="wrong-secret-77aa")
        provider.secrets.append("wrong-secret-77aa")
        failed = one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh(ANNA) + "\n", check=False)
        assert failed.returncode == 1 and "invalid_client" in failed.stderr, failed.stderr
        one.said.append(failed.stderr)
        assert not os.path.exists(token_file(one))
        one.start()
        wait_for(lambda: "it is not authorized yet; write: nurture account authorize anna" in status(one).get("sending_reason", ""), 10)

    def test_nothing_is_said_to_a_server_that_is_not_trusted_or_sends_elsewhere(self, nurture, provider):
        one = nurture(authorize=False, ca_file="")
        failed = one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh(ANNA) + "\n", check=False)
        assert failed.returncode == 1 and "certificate" in failed.stderr.lower(), failed.stderr
        assert not provider.requests
        one = nurture(authorize=False)
        provider.broken = (307, b"", [("Location", provider.url("elsewhere"))])
        failed = one.run("account", "authorize", "anna", "--refresh-token", stdin=provider.new_refresh(ANNA) + "\n", check=False)
        assert failed.returncode == 1 and "it answered HTTP 307" in failed.stderr, failed.stderr
        assert [path for path, _ in provider.requests] == ["/token"]

    def test_it_survives_being_killed_while_tokens_rotate(self, nurture, provider):
        provider.lifetime = 5
        one = nurture()
        for n in range(6):
            one.start()
            count = provider.count("/token")
            wait_for(lambda count=count: provider.count("/token") > count, 10, what=one.log_text)
            wait_for(lambda: stored(one)["refresh_token"] in provider.refresh, 5)
            os.kill(one.process.pid, signal.SIGKILL)
            one.process.wait()
            one.process = None
        one.start().wait_watching()
        wait_for(lambda: status(one)["sending"] == "ready", 10, what=one.log_text)  # between one token and the next it is not


class TestFile:
    def test_only_its_owner_reads_it(self, nurture, provider):
        one = nurture()
        assert stat.S_IMODE(os.stat(token_file(one)).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(token_file(one))).st_mode) == 0o700
        assert os.listdir(os.path.dirname(token_file(one))) == ["anna.json"]
        os.chmod(token_file(one), 0o644)
        one.start()
        wait_for(lambda: "it can be read by others; write chmod 600" in status(one).get("sending_reason", ""), 10)
        assert not provider.count("/introspect")

    def test_one_of_another_client_or_user_is_not_used(self, nurture, provider):
        one = nurture()
        with open(token_file(one), encoding="utf-8") as file:
            old = json.load(file)
        with open(token_file(one), "w", encoding="utf-8") as file:
            json.dump({**old, "client_id": "another"}, file)
        one.start()
        wait_for(lambda: "the token was given to another client_id" in status(one).get("sending_reason", ""), 10)

    def test_one_that_comes_after_the_configuration_has_changed_is_not_used(self, nurture, provider):
        one = nurture()
        with open(token_file(one), encoding="utf-8") as file:
            old = json.load(file)
        with open(token_file(one), "w", encoding="utf-8") as file:
            json.dump({**old, "expires_ms": old["obtained_ms"]}, file)
        asked = provider.count("/token")
        with provider.lock:  # it does not answer meanwhile
            one.start()
            wait_for(lambda: provider.count("/token") > asked, 10, what=one.log_text)
            with open(one.config, encoding="utf-8") as file:
                text = file.read()
            with open(one.config, "w", encoding="utf-8") as file:
                file.write(text.replace(CLIENT, "another"))
            one.run("reload")
            wait_for(lambda: "given to another client_id" in status(one).get("sending_reason", ""), 10, what=one.log_text)
        wait_for(lambda: stored(one)["refresh_token"] != old["refresh_token"], 10, what=one.log_text)
        assert status(one)["sending"] == "paused" and "token-renewed" not in one.log_text()
        with open(one.config, "w", encoding="utf-8") as file:
            file.write(text)
        one.run("reload")
        one.wait_watching()

    def test_a_damaged_one_says_so(self, nurture, provider):
        one = nurture()
        with open(token_file(one), "w", encoding="utf-8") as file:
            file.write('{"refresh_token":')
        one.start()
        wait_for(lambda: "it is damaged; authorize the account again" in status(one).get("sending_reason", ""), 10)


class Authorize:
    """nurture account authorize, running."""

    def __init__(self, one, *options):
        self.process = subprocess.Popen([os.path.join(BIN, "nurture"), "-c", one.config, "account", "authorize", "anna", "--json", *options],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.shown = json.loads(line) if line else {}

    def end(self, text=None):
        out, err = self.process.communicate(text, 20)
        return self.process.returncode, out, err


class TestAuthorize:
    def test_by_a_device_code(self, nurture, provider):
        provider.polls = ["authorization_pending", "slow_down"]
        one = nurture(authorize=False)
        run = Authorize(one)
        assert run.shown == {"page": "https://login.example.com/device", "code": "ABCD-EFGH"}
        status_, out, err = run.end()
        assert status_ == 0 and json.loads(out) == {"token": "anna", "result": "authorized", "in_use": False}, err
        times = provider.count("/token")
        assert times == 3 and stored(one)["refresh_token"] in provider.refresh
        one.start().wait_watching()

    def test_a_device_code_that_is_denied(self, nurture, provider):
        provider.polls = ["access_denied"]
        one = nurture(authorize=False)
        status_, out, err = Authorize(one).end()
        assert status_ == 1 and "it was not allowed (access_denied); try again" in err and not os.path.exists(token_file(one))

    @pytest.mark.parametrize("way", ["visit", "paste the address", "paste the code"])
    def test_by_a_browser(self, nurture, provider, way):
        one = nurture(authorize=False)
        run = Authorize(one, "--browser")
        with open(f"/proc/{run.process.pid}/limits", encoding="ascii") as file:
            assert re.search("Max core file size +0 +0 ", file.read())  # an image of the process would hold tokens
        page = run.shown["page"]
        assert "scope" not in page and "login_hint=anna%40example.com" in page
        address = provider.allow(page)
        if way == "visit":
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(re.sub("state=[^&]*", "state=guessed", address), timeout=10)
            assert refused.value.code == 404
            end = urllib.parse.urlsplit(address)
            with socket.create_connection((end.hostname, end.port), timeout=5) as endless:
                with contextlib.suppress(ConnectionError):
                    endless.sendall(b"GET /?" + b"x" * 60000)
                    assert endless.recv(1) == b""
            with urllib.request.urlopen(address, timeout=10) as answer:
                assert b"You may close this page" in answer.read()
            status_, out, err = run.end()
        else:
            status_, out, err = run.end((address if "address" in way else re.search("code=([^&]*)", address).group(1)) + "\n")
        assert status_ == 0, err
        one.said.append(out + err)
        assert stored(one)["refresh_token"] in provider.refresh

    def test_by_a_page_that_shows_a_code(self, nurture, provider):
        one = nurture(authorize=False, redirect_url="oob")
        run = Authorize(one, "--browser")
        assert "redirect_uri=oob&" in run.shown["page"]
        code = re.search("code=([^&]*)", provider.allow(run.shown["page"])).group(1)
        status_, _, err = run.end(code + "\n")
        assert status_ == 0 and stored(one)["refresh_token"] in provider.refresh, err

    def test_a_page_that_says_no(self, nurture, provider):
        one = nurture(authorize=False)
        run = Authorize(one, "--browser")
        address = provider.allow(run.shown["page"])
        status_, _, err = run.end(re.sub("code=[^&]*", "error=access_denied", address) + "\n")
        assert status_ == 1 and "it was not allowed (access_denied); try again" in err

    def test_list_tells_how_each_signs_in(self, nurture, provider):
        one = nurture()
        (listed,) = one.json("account", "list")
        assert listed["account"] == "anna" and listed["smtp"]["sign_in"] == "oauth2" and listed["imap"]["token"] == "authorized"
        assert listed["smtp"]["user"] == ANNA
        table = one.run("account").stdout
        assert "oauth2: authorized" in table

    def test_a_name_that_is_none(self, nurture):
        one = nurture(authorize=False)
        failed = one.run("account", "authorize", "ana", check=False)
        assert failed.returncode == 1 and 'did you mean anna?' in failed.stderr or 'did you mean "anna"?' in failed.stderr, failed.stderr
        failed = one.run("account", "authorize", "anna", "--refresh-token", stdin="\n", check=False)
        assert failed.returncode == 1 and "there is no refresh token on standard input; write it on the first line" in failed.stderr
