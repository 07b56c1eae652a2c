"""Faults of the machine under a running nurtured: a full disk, a store that another locks, too few files. Nothing is lost or doubled, the status
says what is wrong, and all goes on without a restart."""
import errno
import os
import resource
import sqlite3
import subprocess
import sys
import time

import pytest
from conftest import wait_for
from world import Folder
from world.nurture import Nurture, account, server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "crash"))
from campaign import RULES, Sink  # noqa: E402

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers")
MESSAGES = 300


class Scene:
    """So many contacts to whom a message is due, and a server that counts what they get. The store may lie on a small disk of its own."""

    def __init__(self, disk_mib=0):
        self.folder, self.sink = Folder("nurture-faults-"), Sink()
        self.disk = self.folder / "disk"
        self.store = os.path.join(self.disk, "nurture.db") if disk_mib else self.folder / "nurture.db"
        os.mkdir(self.disk)
        self.mounted = disk_mib and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk_mib}m,mode=700", "tmpfs", self.disk],
                                                   check=False, capture_output=True).returncode == 0
        self.one = Nurture(self.folder, account(server("smtp", self.sink.port, extra='tls = "none"; connections = 2;')), rules=RULES)
        if disk_mib:
            text = open(self.one.config, encoding="utf-8").read()
            self.folder.write("nurture.conf", text.replace(self.folder / "nurture.db", self.store), mode=0o600)

    def people(self, first=0, count=MESSAGES, due_in_s=-86400):
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 86400 + due_in_s))
        rows = "".join(f"c{first + i}@kunde.example,pitching,{since}\n" for i in range(count))
        self.one.run("import", self.folder.write("c.csv", "email,stage,stage_since\n" + rows))

    def everybody_has_one(self, count=MESSAGES):
        wait_for(lambda: len(self.sink.counts()) == count, 60, what=lambda: self.one.log_text()[-2000:])
        wait_for(lambda: not self.one.json("queue"), 30, what=lambda: str(self.one.json("queue"))[:2000])
        assert set(self.sink.counts().values()) == {1}
        assert {row["state"] for row in self.one.json("queue", "list", "--all")} == {"sent"}

    def status(self):
        return self.one.json("status")[0]

    def close(self):
        try:
            assert self.one.stop() == 0
        finally:
            self.sink.close()
            if self.mounted:
                subprocess.run(["umount", self.disk], check=True)
            self.folder.close()


@pytest.fixture
def scene():
    made = []

    def make(**options):
        made.append(Scene(**options))
        return made[-1]
    yield make
    for one in made:
        one.close()


class TestMachineFaults:
    def test_a_store_that_another_locks_for_half_a_minute(self, scene):
        scene = scene()
        scene.people()
        scene.one.start()
        wait_for(lambda: scene.sink.counts(), 20)
        lock = sqlite3.connect(scene.store, isolation_level=None, timeout=10)
        lock.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        wait_for(lambda: "locked" in scene.status()["store"], 20, what=lambda: str(scene.status()))
        while time.monotonic() - began < 30:
            assert scene.one.process.poll() is None
            time.sleep(0.5)
        lock.execute("ROLLBACK")
        scene.everybody_has_one()
        assert scene.status()["store"] == "ready"

    def test_a_full_disk(self, scene):
        scene = scene(disk_mib=64)
        if not scene.mounted:
            pytest.skip("a small disk cannot be mounted here: not root, or in a container")
        scene.people(count=20)
        scene.one.start()
        scene.everybody_has_one(20)
        ballast = os.path.join(scene.disk, "ballast")
        scene.one.run("pause")
        scene.people(first=20)
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        scene.one.run("resume", check=False)
        wait_for(lambda: scene.status()["store"] != "ready", 20, what=lambda: str(scene.status()))
        assert "full" in scene.status()["store"], scene.status()
        os.unlink(ballast)
        wait_for(lambda: scene.one.run("resume", check=False).returncode == 0, 20)
        scene.everybody_has_one(20 + MESSAGES)
        assert scene.status()["store"] == "ready"

    def test_a_store_that_may_not_be_written_is_refused_at_start_with_the_reason(self, scene):
        scene = scene(disk_mib=64)
        if not scene.mounted:
            pytest.skip("a small disk cannot be mounted here: not root, or in a container")
        scene.people(count=3)
        subprocess.run(["mount", "-o", "remount,ro", scene.disk], check=True)
        refused = subprocess.run([os.path.join(os.environ.get("NURTURE_BIN", "build"), "nurtured"), "-c", scene.one.config], check=False,
                                 capture_output=True, text=True, timeout=20)
        assert refused.returncode == 1 and "nurture.db" in refused.stderr and "mount it" in refused.stderr, refused.stderr
        subprocess.run(["mount", "-o", "remount,rw", scene.disk], check=True)
        scene.one.start()
        scene.everybody_has_one(3)

    @pytest.mark.parametrize("fault, words", [(errno.EROFS, "Read-only file system"), (errno.ENOSPC, "full")], ids=["read-only", "full"])
    def test_a_disk_that_refuses_while_messages_leave(self, scene, fault, words):
        scene = scene()
        library, switch = scene.folder / "faulty_disk.so", scene.folder / "fault"
        subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, os.path.join(PEERS, "faulty_disk.c")], check=True)
        scene.people(count=1000)
        scene.one.start(environment={"LD_PRELOAD": library, "FAULTY_DISK": switch,
                                     "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"})
        wait_for(scene.sink.counts, 20)
        scene.folder.write("fault.new", str(fault))
        os.rename(scene.folder / "fault.new", switch)
        wait_for(lambda: words in scene.status()["store"], 20, what=lambda: str(scene.status()))
        taken = wait_for(lambda: scene.status()["accounts"][0]["in_flight"] == 0 and len(scene.sink.counts()), 20, what=lambda: str(scene.status()))
        wait_for(lambda: scene.one.log_text().count("event=store-fault") >= 2, 20)  # tried again meanwhile
        assert len(scene.sink.counts()) == taken < 1000  # what cannot be written down does not leave
        os.unlink(switch)
        scene.everybody_has_one(1000)
        assert scene.status()["store"] == "ready"

    def test_too_few_files_for_another_connection(self, scene):
        scene = scene()
        scene.one.start()
        scene.people(due_in_s=3)
        pid = scene.one.process.pid
        limit = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        wait_for(lambda: scene.status()["enrolments"] == MESSAGES, 20)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")), limit[1]))
        wait_for(lambda: "Too many open files" in scene.one.log_text(), 20, what=scene.one.log_text)
        assert not scene.sink.counts() and scene.one.process.poll() is None
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        scene.everybody_has_one()
