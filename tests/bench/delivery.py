"""Delivery: messages a second from the outbox to Postfix's smtp-sink on loopback, beside what else sends mail, in one run.

Each side sends the same number of messages of about 2 kB, each different, over the same number of connections (smtplib has one). The
queue is full before nurtured may begin; what counts then is its whole path: claim, gates, template, MIME, journal, conversation, outcome,
history, with every commit synchronous.
"""
import email.message
import os
import resource
import shutil
import smtplib
import socket
import sqlite3
import statistics
import subprocess
import threading
import time

from world import free_port, is_listening, stop_process, wait_for

CONNECTIONS, ROUNDS, SIZE = 8, 3, 2000
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "20000"))
FEW, SLOW_CONNECTIONS, SLOW_MESSAGES = 10_000, 32, 320  # whole waves of them
PARAGRAPH = ("Lorem ipsum dolor sit amet {{first_name}} consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore "
             "magna aliqua.")

CONFIG = """
store     = {{ url = "sqlite://{store}"; }};
templates = "{templates}";
organisation = {{ name = "Berg & Sons"; postal_address = "Storgata 1, 0155 Oslo, Norway"; domains = [ "example.com" ]; }};
sending = {{ time_zone = "Europe/Oslo"; window = {{ days = "every day"; from = "00:00"; to = "24:00"; }}; min_gap = "0 days";
  max_late = "700 days"; }};
accounts = ( {accounts} );
rules = ( {{ name = "r"; anchor = "stage"; when = {{ stage = "pitching"; }}; steps = ( {{ after = "1 minute"; template = "hello"; }} ); }} );
"""
ACCOUNT = ('{{ name = "{name}"; from = "Anna Berg <{name}@example.com>"; one_way = true; smtp = {{ url = "smtp://127.0.0.1:{port}"; '
           'tls = "none"; connections = {connections}; }}; }}')

NODEMAILER = """
const [port, connections, count] = process.argv.slice(2).map(Number);
const line = 'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor\\n'.repeat(22);
const pool = require('nodemailer').createTransport({host: '127.0.0.1', port, pool: true, maxConnections: connections,
  maxMessages: Infinity, ignoreTLS: true});
const began = process.hrtime.bigint();
let sent = 0, next = 0;
function more() {
  if (next >= count) return;
  const i = next++;
  pool.sendMail({from: 'anna@example.com', to: `p${i}@firm.example`, subject: `Message ${i}`, text: `Dear ${i},\\n${line}`}, error => {
    if (error) { console.error(error.message); process.exit(1); }
    if (++sent === count) { console.log(Number(process.hrtime.bigint() - began) / 1e9); pool.close(); }
    more();
  });
}
for (let i = 0; i < connections * 4; i++) more();
"""


class Sink:
    """smtp-sink, which takes everything and keeps nothing."""

    def __enter__(self):
        self.port = free_port()
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.process = subprocess.Popen(["/usr/sbin/smtp-sink", *user, f"127.0.0.1:{self.port}", "1000"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: is_listening(self.port), 10, "smtp-sink listens")
        return self

    def __exit__(self, *_):
        stop_process(self.process)


class LateServer:
    """Takes every message, and says so a second after its last dot."""

    def __init__(self):
        self.taken, self.lock = [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rwb") as stream:
            try:
                self.converse(stream)
            except OSError:
                pass  # the client went away

    def converse(self, stream):
        def say(text):
            stream.write(text + b"\r\n")
            stream.flush()
        say(b"220 late.example ESMTP")
        for line in stream:
            if line[:4].upper() == b"DATA":
                say(b"354 go on")
                for part in iter(stream.readline, b".\r\n"):
                    if not part:
                        return
                time.sleep(1)
                with self.lock:
                    self.taken.append(time.monotonic())
            say(b"221 bye" if line[:4].upper() == b"QUIT" else b"250 ok")

    def rate(self):
        """Messages a second from the first to the last."""
        took = max(self.taken) - min(self.taken)
        return (len(self.taken) - SLOW_CONNECTIONS) / took

    def close(self):
        self.listener.close()


# ---- the others ----

def rate_of(arguments, count, **options):
    """Messages a second of a program that prints its seconds, or else takes them."""
    began = time.monotonic()
    run = subprocess.run(arguments, check=True, capture_output=True, text=True, **options)
    took = float(run.stdout) if run.stdout.strip() else time.monotonic() - began
    return count / took


def smtp_source():
    with Sink() as sink:
        return rate_of(["/usr/sbin/smtp-source", "-d", "-s", str(CONNECTIONS), "-m", str(MESSAGES), "-l", str(SIZE),
                        f"127.0.0.1:{sink.port}"], MESSAGES)


def libcurl_threads(driver):
    """Messages a second, and us of processor time a message."""
    def spent():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    with Sink() as sink:
        before = spent()
        rate = rate_of([driver, str(sink.port), str(CONNECTIONS), str(MESSAGES), str(SIZE)], MESSAGES)
        return rate, (spent() - before) * 1e6 / MESSAGES


def install_nodemailer(folder):
    """Its folder; None where npm is not there or cannot install it."""
    place = folder / "npm"
    os.mkdir(place)
    if not shutil.which("npm") or not shutil.which("node"):
        return None
    try:
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", place, "nodemailer"], check=True, cwd=place,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180)
    except subprocess.SubprocessError:
        return None
    with open(os.path.join(place, "pool.js"), "w", encoding="utf-8") as file:
        file.write(NODEMAILER)
    return place


def nodemailer(place):
    with Sink() as sink:
        return rate_of(["node", "pool.js", str(sink.port), str(CONNECTIONS), str(MESSAGES // 4)], MESSAGES // 4, cwd=place)


def python_smtplib():
    count = MESSAGES // 10
    with Sink() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        began = time.monotonic()
        for number in range(count):
            message = email.message.EmailMessage()
            message["From"], message["To"], message["Subject"] = "anna@example.com", f"p{number}@firm.example", f"Message {number}"
            message.set_content(f"Dear {number},\n" + "Lorem ipsum dolor sit amet, consectetur adipiscing elit\n" * (SIZE // 56))
            client.send_message(message)
        return count / (time.monotonic() - began)


# ---- ours ----

class Sender:
    """A store whose queue is filled while everything is paused, and the daemon that sends it when let go."""

    def __init__(self, folder, name, programs, accounts, contacts):
        self.folder, self.programs = folder, programs
        self.store, self.config, self.log = (folder / f"{name}.{end}" for end in ("db", "conf", "log"))
        templates, people = folder / f"{name}-templates", folder / f"{name}.csv"
        os.mkdir(templates)
        with open(os.path.join(templates, "hello.md"), "w", encoding="utf-8") as file:
            file.write("Subject: Hello {{first_name}} at {{company}}\n\nDear {{first_name}} {{last_name}},\n\n"
                       + "\n\n".join([PARAGRAPH] * 4) + "\n\nBest,\n{{owner.first_name}}\n")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(store=self.store, templates=templates, accounts=", ".join(
                ACCOUNT.format(name=each, port=port, connections=connections) for each, port, connections in accounts)))
        yesterday = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400))
        with open(people, "w", encoding="utf-8") as file:
            file.write("email,first_name,last_name,company,stage,stage_since,language,owner\n")
            for owner, count in contacts:
                file.writelines(f"{owner}{i}@firm{i % 9000}.example,Kari{i},Berg,Firm {i % 9000},pitching,{yesterday},en,{owner}\n"
                                for i in range(count))
        self.count = sum(count for _, count in contacts)
        self.nurture("import", people)
        self.pause()
        with open(self.log, "wb") as log:
            self.daemon = subprocess.Popen([os.path.join(programs, "nurtured"), "-c", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, env={**os.environ, "NURTURE_STAGES": "1"})
        wait_for(self.is_filled, 1800, "all is queued", every=0.1)

    def nurture(self, *arguments):
        return subprocess.run([os.path.join(self.programs, "nurture"), "-c", self.config, *arguments], check=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def pause(self):
        """As `nurture pause`, before there is a daemon that could begin."""
        connection = sqlite3.connect(self.store)
        connection.execute("INSERT INTO account (name, pause_reason, changed_ms) VALUES ('', 'the queue is being filled', 1)")
        connection.commit()
        connection.close()

    def ask(self, sql):
        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchone()
        finally:
            connection.close()

    def count_in(self, state, account=None):
        more = f" AND account = '{account}'" if account else ""
        return self.ask(f"SELECT count(*) FROM outbox WHERE state = '{state}'{more}")[0]

    def is_filled(self):
        assert self.daemon.poll() is None, f"nurtured ended with status {self.daemon.returncode}"
        return self.ask("SELECT coalesce(max(id), 0) FROM outbox")[0] == self.count  # a row each, and none was taken away

    def memory(self):
        """MiB, the most it ever had."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024

    def wait_until_sent(self, count, account=None):
        def is_sent():
            assert self.daemon.poll() is None, f"nurtured ended with status {self.daemon.returncode}"
            return self.count_in("sent", account) >= count
        wait_for(is_sent, 1800, "all is sent", every=0.1)

    def rate(self, account):
        count, took_ms = self.ask("SELECT count(*), max(ended_ms) - min(sending_ms) FROM outbox WHERE state = 'sent'"
                                  f" AND account = '{account}'")
        return count * 1000 / took_ms

    def stages(self):
        """Ends the daemon; us of processor time a message, by stage."""
        self.close()
        found = {}
        with open(self.log, encoding="utf-8") as log:
            for line in log:
                if "event=stage" in line:
                    words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                    found[words["name"]] = int(words["ns"]) / max(1, int(words["messages"])) / 1000
        return found

    def close(self):
        stop_process(self.daemon, 60)


def send_all(folder, name, programs):
    """One round: messages a second, and us by stage."""
    with Sink() as sink:
        sender = Sender(folder, name, programs, [("anna", sink.port, CONNECTIONS)], [("anna", MESSAGES)])
        try:
            sender.nurture("resume")
            sender.wait_until_sent(MESSAGES)
            return sender.rate("anna"), sender.stages()
        finally:
            sender.close()


# ---- the table ----

def compare(table, folder, programs, driver):
    """Rounds in which each takes its turn; medians."""
    place = install_nodemailer(folder)
    rates, stages, bare = {}, [], []

    def note(name, rate):
        rates.setdefault(name, []).append(rate)
    for number in range(ROUNDS):
        note("source", smtp_source())
        rate, spent = libcurl_threads(driver)
        note("libcurl", rate)
        bare.append(spent)
        if place:
            note("nodemailer", nodemailer(place))
        note("smtplib", python_smtplib())
        rate, spent = send_all(folder, f"round{number}", programs)
        note("ours", rate)
        stages.append(spent)
    middle = {name: statistics.median(found) for name, found in rates.items()}
    ours = middle["ours"]
    table.note(f"smtp-source -d, {CONNECTIONS} connections (of the protocol)", f"{middle['source']:,.0f} /s", f"ours / it = {ours / middle['source']:.2f}")
    table.note("Python's smtplib, one connection", f"{middle['smtplib']:,.0f} /s", f"ours / it = {ours / middle['smtplib']:.2f}")
    table.note(f"bare libcurl, {CONNECTIONS} threads", f"{middle['libcurl']:,.0f} /s", f"ours / it = {ours / middle['libcurl']:.2f}")
    table.note(f"nodemailer, pool of {CONNECTIONS}", f"{middle['nodemailer']:,.0f} /s" if place else "skipped",
               f"ours / it = {ours / middle['nodemailer']:.2f}" if place else "npm could not install it")
    table.least(f"nurtured, {CONNECTIONS} connections: half of bare libcurl", round(middle["libcurl"] / 2), ours, "/s")
    if place:
        table.least("  three times nodemailer", round(middle["nodemailer"] * 3), ours, "/s")
    tell_stages(table, {name: statistics.median(each[name] for each in stages) for name in stages[0]}, statistics.median(bare))


def tell_stages(table, spent, bare):
    """Processor time, which tells more than the rates where others use the machine as well. claim holds letter."""
    loop = sum(spent[name] for name in ("outcome", "claim", "commit", "tell"))
    workers = sum(spent[name] for name in ("render", "compose", "send"))
    for name in ("outcome", "claim", "letter", "commit", "tell"):
        table.note(f"  {'  of it ' if name == 'letter' else ''}{name}", f"{spent[name]:.1f} us")
    table.note("  the loop's thread, processor time a message", f"{loop:.1f} us")
    for name in ("render", "compose", "send"):
        table.note(f"  {name}", f"{spent[name]:.1f} us")
    table.note("  the workers' threads", f"{workers:.1f} us")
    table.note("  both; bare libcurl's beside it", f"{loop + workers:.1f} us", f"libcurl {bare:.1f} us, of ours {bare / (loop + workers):.2f}")


def memory_with(folder, name, programs, queued):
    """MiB at most while so many wait and some of them are sent."""
    with Sink() as sink:
        sender = Sender(folder, name, programs, [("anna", sink.port, CONNECTIONS)], [("anna", queued)])
        try:
            sender.nurture("resume")
            sender.wait_until_sent(min(queued, FEW))
            return sender.memory()
        finally:
            sender.close()


def compare_memory(table, folder, programs, many):
    """The store's cache, 32 MiB at most, is not full with few."""
    few = memory_with(folder, "few", programs, min(FEW, many))
    most = memory_with(folder, "many", programs, many)
    table.note(f"memory with {min(FEW, many):,} queued (VmHWM)", f"{few:.1f} MiB")
    table.most(f"memory with {many:,} queued (VmHWM)", 64, most, "MiB")
    table.most("  the second by the first", 1.5, most / few, "times")


def compare_slow(table, folder, programs):
    """The same queue alone, and beside an account whose server answers a second late."""
    late = LateServer()
    try:
        rates = []
        for name, slow in (("alone", 0), ("beside", SLOW_MESSAGES)):
            with Sink() as sink:
                sender = Sender(folder, name, programs, [("anna", sink.port, CONNECTIONS), ("slow", late.port, SLOW_CONNECTIONS)],
                                [("anna", MESSAGES), ("slow", slow)])
                try:
                    sender.nurture("resume")
                    sender.wait_until_sent(MESSAGES, "anna")
                    sender.wait_until_sent(slow, "slow")
                    rates.append(sender.rate("anna"))
                finally:
                    sender.close()
        table.note("an account alone", f"{rates[0]:,.0f} /s")
        table.least("  beside one whose server answers a second late", round(rates[0] * 0.9), rates[1], "/s")
        table.least(f"  that one, {SLOW_CONNECTIONS} connections", 30, late.rate(), "/s")
    finally:
        late.close()


def measure(table, folder, programs, driver, many):
    """All of delivery; many: how many are queued for the measurement of memory."""
    table.head(f"delivery of {MESSAGES:,} messages, median of {ROUNDS} rounds")
    table.attempt("delivery", compare, table, folder, programs, driver)
    table.attempt("a server that is late", compare_slow, table, folder, programs)
    table.attempt("memory", compare_memory, table, folder, programs, many)
