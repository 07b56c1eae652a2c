"""A real dnsmasq on a loopback address of its own, and commands that know no other name server. Needs root."""
import os
import random
import shutil
import subprocess

from . import stop_process, wait_for

CONFIG = """
port=53
listen-address={address}
bind-interfaces
no-resolv
no-hosts
pid-file=
cache-size=0
local=/example/
{records}
"""


class Names:
    """records: lines of dnsmasq's configuration. run() is subprocess.run() in a mount namespace whose /etc/resolv.conf names this server alone."""

    def __init__(self, folder, records):
        self.address = f"127.{random.randint(64, 250)}.{random.randint(1, 250)}.{random.randint(2, 250)}"
        self.config = folder.write("dnsmasq.conf", CONFIG.format(address=self.address, records="\n".join(records)))
        self.resolv = folder.write("resolv.conf", f"nameserver {self.address}\n")
        self.log = folder / "dnsmasq.log"
        self.process = None

    @staticmethod
    def missing():
        """Why it cannot be done here, or None."""
        if os.geteuid() != 0:
            return "an /etc/resolv.conf of one's own (unshare -m) can only be had by root"
        if not shutil.which("dnsmasq", path="/usr/sbin"):
            return "dnsmasq-base is not installed (make deps-test)"
        if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
            return "this system allows no mount namespaces"
        return None

    def start(self):
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["/usr/sbin/dnsmasq", "-k", "-u", "root", "--log-facility=-", "-C", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        def started():
            with open(self.log, encoding="utf-8") as log:
                return self.process.poll() is not None or "started" in log.read()
        wait_for(started, what="dnsmasq starts")
        with open(self.log, encoding="utf-8") as log:
            assert self.process.poll() is None, log.read()
        return self

    def stop(self):
        if self.process:
            stop_process(self.process)
            self.process = None

    def run(self, arguments):
        inside = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return subprocess.run(["unshare", "-m", "sh", "-c", inside, self.resolv, *arguments], check=False, capture_output=True, text=True,
                              timeout=120)
