"""nurtured as a service: starting, stopping, reloading, being paused, faults of servers, and who may use a store."""
import os
import signal
import subprocess
import time

import pytest
from conftest import PASSWORD, days_ago, parse, wait_for, write_csv
from world import Folder, free_port
from world.nurture import BIN, Nurture, account, server


def states(one):
    return sorted(message["state"] for message in one.json("queue", "list", "--all"))


def first_account(one):
    return one.json("status")[0]["accounts"][0]


class TestService:
    def test_sigterm_ends_it_within_seconds_with_status_0(self, nurture):
        one = nurture().start()
        began = time.monotonic()
        assert one.stop() == 0 and time.monotonic() - began < 5

    def test_a_second_daemon_on_the_store_says_so_and_ends_with_1(self, nurture):
        one = nurture().start()
        second = subprocess.run([os.path.join(BIN, "nurtured"), "-c", one.config], capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 1 and str(one.process.pid) in second.stderr

    def test_nobody_is_left_behind_when_it_is_killed(self, nurture):
        one = nurture().start()
        one.wait_watching()
        watcher = first_account(one)["watcher_pid"]
        one.kill()
        wait_for(lambda: not os.path.exists(f"/proc/{watcher}"), 10)

    def test_reload_takes_a_new_rule_and_refuses_a_bad_file_whole(self, world, nurture, customer):
        one = nurture(rules="")
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(4), "en")]))
        one.start()
        good = open(one.config, encoding="utf-8").read()
        rule = '{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "3 days"; template = "pitch-1"; } ); }'
        one.folder.write("nurture.conf", good.replace("rules = (  )", f"rules = ( {rule} )").replace('"09:00"', '"9"').replace("rules = (", "ruls = ("), mode=0o600)
        refused = one.run("reload", check=False)
        assert refused.returncode == 1 and 'did you mean "rules"' in refused.stderr
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reload-refused" in one.log_text(), 10)
        assert one.process.poll() is None
        one.folder.write("nurture.conf", good.replace("rules = (  )", f"rules = ( {rule} )"), mode=0o600)
        one.run("reload")
        wait_for(lambda: world.dovecot.messages(customer()), 20)

    def test_sighup_reloads(self, nurture):
        one = nurture().start()
        one.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reloaded" in one.log_text(), 10)

    def test_pause_holds_all_over_a_restart_and_resume_lets_go(self, world, nurture, customer):
        one = nurture().start()
        one.run("pause")
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(4), "en")]))
        one.stop()
        one.start()
        time.sleep(1)
        assert states(one) == ["queued"] and first_account(one)["sending"] == "paused"
        one.run("resume")
        wait_for(lambda: world.dovecot.messages(customer()), 20)

    def test_a_call_stops_a_rule_that_says_so(self, nurture, customer):
        one = nurture(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; stop_on = [ "call" ];'
                            ' steps = ( { after = "30 days"; template = "pitch-1"; } ); }').start()
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(4), "en")]))
        wait_for(lambda: one.json("contact", "show", customer())[0]["enrolments"], 10)
        one.run("log", customer(), "call", "said yes")
        wait_for(lambda: one.json("contact", "show", customer())[0]["enrolments"][0]["state"] == "ended", 10)

    def test_the_control_socket_is_for_its_user_alone(self, nurture):
        one = nurture().start()
        assert os.stat(one.folder / "nurture.db.sock").st_mode & 0o777 == 0o660
        assert os.stat(one.folder / "nurture.db").st_mode & 0o777 == 0o600

    def test_a_missing_value_holds_the_message_and_says_which(self, nurture, customer):
        templates = Folder()
        templates.write("t.md", "Subject: Hi\n\nHello {{nickname}}\n")
        one = nurture(rules='{ name = "r"; anchor = "stage"; when = { stage = "pitching"; }; steps = ( { after = "1 day"; template = "t"; } ); }',
                      templates=templates.path).start()
        one.run("import", write_csv(one, [(customer(), "Kari", "pitching", days_ago(4), "en")]))
        wait_for(lambda: states(one) == ["held"], 10)
        assert "nickname" in one.json("queue")[0]["reason"]
        templates.close()


class TestFaultsOfServers:
    def start(self, request, smtp, imap=None, **options):
        one = Nurture(Folder("nurture-fault-"), account(smtp, imap), **options)
        request.addfinalizer(lambda: (one.stop(), one.folder.close()))
        self.kari = f"kari-{abs(hash(request.node.name))}@kunde.example"
        one.run("import", write_csv(one, [(self.kari, "Kari", "pitching", days_ago(4), "en")]))
        return one.start()

    def test_a_server_that_is_down_keeps_everything_and_is_seen_in_status(self, request):
        one = self.start(request, server("smtp", free_port()))
        wait_for(lambda: first_account(one)["sending"] == "unreachable", 10)
        assert states(one) == ["deferred"] and first_account(one)["retry_in_s"] >= 0
        assert one.log_text().count("event=unreachable") == 1

    def test_sending_goes_on_when_the_server_is_back(self, request, world, postfix):
        import threading
        port = free_port()
        one = self.start(request, server("smtp", port, world.authority.file))
        wait_for(lambda: first_account(one)["sending"] == "unreachable", 10)
        relay = subprocess.Popen(["/usr/bin/python3", "-c", RELAY, str(port), str(postfix.smtp)])
        request.addfinalizer(relay.kill)
        wait_for(lambda: states(one) == ["sent"], 30, what=one.log_text)
        assert "event=reachable" in one.log_text() and threading.active_count()

    def test_a_wrong_password_is_told_and_nothing_is_burnt(self, request, world, postfix):
        one = self.start(request, server("smtp", postfix.smtp, world.authority.file, "anna@example.com", "wrong"))
        wait_for(lambda: first_account(one)["sending"] == "unreachable", 20, what=one.log_text)
        assert "535" in first_account(one)["sending_reason"] and "wrong" not in one.log_text() and states(one) == ["deferred"]

    def test_a_wrong_mailbox_password_is_told_and_blinds_the_account(self, request, world, postfix):
        one = self.start(request, server("smtp", postfix.smtp, world.authority.file),
                         server("imaps", world.dovecot.imaps, world.authority.file, "anna@example.com", "wrong"), blind_after="1 second")
        wait_for(lambda: first_account(one)["mailbox"] == "failed", 20, what=one.log_text)
        status = first_account(one)
        assert status["blind"] and status["sending"] == "blind" and states(one) == ["queued"]
        assert not world.dovecot.messages(self.kari)

    @pytest.mark.parametrize("fault", ["self_signed", "expired", "wrong_name", "unknown_authority"])
    def test_a_bad_certificate_is_refused_on_both_ways(self, request, world, postfix, fault):
        from world.authority import Authority
        from world.dovecot import Dovecot
        from world.postfix import Postfix
        folder = Folder("nurture-tls-")
        authority = Authority(folder.path, "another one")
        hosts = ("other.example",) if fault == "wrong_name" else ("localhost", "127.0.0.1")
        certificate, key = authority.issue("bad", hosts=hosts, expired=fault == "expired", self_signed=fault == "self_signed")
        dovecot = Dovecot(folder, certificate, key).start()
        bad = Postfix(folder, dovecot, certificate, key, ["kunde.example"]).start()
        request.addfinalizer(lambda: (bad.stop(), dovecot.stop(), folder.close()))
        trusted = world.authority.file if fault == "unknown_authority" else authority.file
        for scheme, port in (("smtps", bad.smtps), ("smtp", bad.smtp)):
            one = self.start(request, server(scheme, port, trusted, "anna@example.com", PASSWORD),
                             server("imaps", dovecot.imaps, trusted, "anna@example.com", PASSWORD))
            wait_for(lambda: first_account(one)["mailbox"] == "failed", 20, what=one.log_text)
            assert "certificate" in first_account(one)["mailbox_reason"].lower(), first_account(one)
            assert not dovecot.messages(self.kari)
        # a sender that cannot hear is blind, so the way out is tried by itself
        one = self.start(request, server("smtps", bad.smtps, trusted, "anna@example.com", PASSWORD))
        wait_for(lambda: first_account(one)["sending"] == "unreachable", 20, what=one.log_text)
        assert not dovecot.messages(self.kari)
        # no password was given to a server that could not show who it is
        assert "imap-login: Login" not in open(folder / "dovecot.log", encoding="utf-8").read()

    def test_starttls_is_required(self, request, world):
        """A server that does not offer STARTTLS gets neither password nor mail."""
        sink = subprocess.Popen(["/usr/bin/python3", os.path.join(os.path.dirname(__file__), "..", "world", "plain_smtp.py")], stdout=subprocess.PIPE, text=True)
        request.addfinalizer(sink.kill)
        port = int(sink.stdout.readline())
        one = self.start(request, server("smtp", port, None, "anna", "secret-password"))
        wait_for(lambda: first_account(one)["sending"] == "unreachable", 10, what=one.log_text)
        sink.terminate()
        heard = sink.stdout.read()
        assert "EHLO" in heard and "AUTH" not in heard and "MAIL" not in heard


RELAY = """
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
def pump(a, b):
    try:
        while data := a.recv(65536):
            b.sendall(data)
    except OSError:
        pass
    a.close(); b.close()
while True:
    client, _ = listener.accept()
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
    for pair in ((client, peer), (peer, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""
