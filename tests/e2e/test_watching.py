"""Several folders of real mailboxes at once: how each goes, what is missing, and one message that lies in many places."""
import pytest
from conftest import PASSWORD, days_ago, wait_for, write_csv
from world import Folder, free_port
from world.nurture import Nurture, account, server


def letter(n, person=None, extra="", to="anna@example.com"):
    return (f"From: P <p{n if person is None else person}@kunde.example>\r\nTo: {to}\r\nSubject: s{n}\r\nMessage-ID: <w{n}@kunde.example>\r\n"
            f"Date: Tue, 24 Nov 2026 09:00:00 +0000\r\n{extra}\r\nanswer {n}\r\n").encode()


class Mailboxes:
    """A Nurture that reads accounts of the shared Dovecot and writes through a port where nobody answers."""

    def __init__(self, world, names, extra, **options):
        self.dovecot, ways = world.dovecot, server("smtp", free_port())
        self.users = [f"{name}@example.com" for name in names]
        accounts = ", ".join(account(ways, server("imaps", world.dovecot.imaps, world.authority.file, user, PASSWORD, extra=extra),
                                     name=name, address=user) for name, user in zip(names, self.users))
        self.one = Nurture(Folder("nurture-watch-"), accounts, rules="", **options)
        self.one.run("import", write_csv(self.one, [(f"p{i}@kunde.example", "P", "pitching", days_ago(4), "en") for i in range(40)]))

    def imap(self, *commands, user=0):
        connection = self.dovecot.login(self.users[user])
        try:
            for name, *arguments in commands:
                status, answer = getattr(connection, name)(*arguments)
                assert status == "OK", answer
        finally:
            connection.logout()

    def append(self, folder, message, user=0):
        self.imap(("append", folder, None, None, message), user=user)

    def account(self, index=0):
        return self.one.json("status")[0]["accounts"][index]

    def folder(self, name, index=0):
        return next(folder for folder in self.account(index)["folders"] if folder["folder"] == name)

    def replies(self, n):
        return len(self.one.history(f"p{n}@kunde.example", "reply"))

    def wait_reply(self, n):
        wait_for(lambda: self.replies(n), 20, what=self.one.log_text)


@pytest.fixture
def watch(world):
    made = []

    def make(*names, extra="", **options):
        made.append(Mailboxes(world, names, extra, **options))
        return made[-1]
    yield make
    for boxes in made:
        status = boxes.one.stop()
        text = boxes.one.log_text()
        boxes.one.folder.close()
        assert status == 0 and "AddressSanitizer" not in text and "runtime error" not in text, text[-3000:]


class TestFolders:
    def test_a_missing_folder_is_named_and_blinds_until_it_is_there(self, watch):
        boxes = watch("watch-missing", extra='folders = [ "INBOX", "Leads" ]; poll = "1 second";', blind_after="1 second")
        boxes.one.start()
        wait_for(lambda: boxes.account()["mailbox"] == "partly", 20, what=boxes.one.log_text)
        assert "Leads" in boxes.account()["mailbox_reason"] and boxes.account()["blind"]
        assert boxes.folder("Leads")["state"] == "failed" and "doesn't exist" in boxes.folder("Leads")["reason"]
        assert boxes.folder("INBOX")["state"] == "watched" and boxes.folder("INBOX")["not_filed"] == 0
        shown = boxes.one.run("status").stdout
        assert "partly" in shown and "Leads" in shown and "READ AGO" in shown
        boxes.dovecot.deliver(boxes.users[0], letter(1))
        boxes.wait_reply(1)
        boxes.imap(("create", "Leads"))
        wait_for(lambda: boxes.account()["mailbox"] == "watching" and not boxes.account()["blind"], 20, what=boxes.one.log_text)
        boxes.append("Leads", letter(2))
        boxes.wait_reply(2)
        boxes.imap(("rename", "Leads", "Elsewhere"))
        wait_for(lambda: boxes.account()["mailbox"] == "partly", 20, what=boxes.one.log_text)
        boxes.imap(("create", "Leads"))
        boxes.append("Leads", letter(3))
        boxes.append("Leads", letter(2))
        boxes.wait_reply(3)
        assert boxes.replies(2) == 1 and boxes.one.log_text().count("event=folder-unreadable") == 2

    def test_the_folder_that_is_waited_in_is_deleted_and_made_anew(self, watch):
        boxes = watch("watch-anew", extra='folders = [ "Box", "INBOX" ]; poll = "1 second"; watch_junk = false; watch_sent = false;')
        boxes.imap(("create", "Box"))
        boxes.one.start().wait_watching()
        boxes.append("Box", letter(1))
        boxes.wait_reply(1)
        boxes.imap(("delete", "Box"))
        boxes.dovecot.deliver(boxes.users[0], letter(2))
        boxes.wait_reply(2)
        boxes.imap(("create", "Box"))
        boxes.append("Box", letter(1))
        boxes.append("Box", letter(3))
        boxes.wait_reply(3)
        boxes.one.wait_watching()
        assert boxes.replies(1) == 1

    def test_junk_is_found_and_a_senders_address_counts_for_nothing_there(self, watch):
        boxes = watch("watch-junk", extra='poll = "1 second";')
        boxes.imap(("create", "Junk"))
        boxes.one.start().wait_watching()
        boxes.append("Junk", letter(1))
        wait_for(lambda: "in the folder for junk, and answers nothing that was sent" in boxes.one.log_text(), 20, what=lambda: boxes.one.run("status").stdout)
        assert boxes.replies(1) == 0 and boxes.folder("\\Junk")["state"] == "watched"

    def test_one_message_in_two_folders_and_two_mailboxes_is_filed_once(self, watch):
        boxes = watch("watch-one", "watch-two", extra='folders = [ "INBOX", "Label" ]; poll = "1 second";')
        boxes.imap(("create", "Label"))
        boxes.imap(("create", "Label"), user=1)
        boxes.one.start().wait_watching()
        for user in (0, 1):
            boxes.dovecot.deliver(boxes.users[user], letter(1))
            boxes.append("Label", letter(1), user=user)
        for user in (0, 1):  # what comes last in each folder tells that the rest was read
            for n, folder in ((2, "INBOX"), (3, "Label")):
                boxes.append(folder, letter(n + 10 * user), user=user)
        for n in (2, 3, 12, 13):
            boxes.wait_reply(n)
        assert boxes.replies(1) == 1
