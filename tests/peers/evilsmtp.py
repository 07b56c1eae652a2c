#!/usr/bin/python3
"""An SMTP server that misbehaves on request.

Prints "PORT n" once it listens on 127.0.0.1, and ends with its standard input. Writes each command to DIR/log as
"<connection> <command>", and each message to DIR/<n>.eml (without dot-stuffing) in the order of arrival. What it does wrong
is told

  * for a connection, by --greeting, --ehlo, --starttls and --auth-reply, and
  * for a message, by the sender's local part: "<phase>.<action>@…" with the phases mail, rcpt, data, body and dot.

Actions (OK is the answer that would be right):
  NNN        that code, in two lines, with an enhanced status; 421 closes as well
  drop rst   closes (with a reset)              hang       says nothing more, keeps the connection
  half       two octets of OK, then closes      nocrlf     OK without its line end, then closes
  multi      a first line of several, closes    garbage    a line that is no reply, then says nothing more
  endless    lines of one reply without end     trickle    OK, an octet each 0.1 seconds
  lateN      OK after N seconds                 odd        251 for OK
  okdrop     OK, then closes                    ok421      OK, then 421 unasked, and closes
  two        OK and another 250                 twoN       the same, N seconds later
  echo       550, and what was said in the sign-in
  stale      drops where the connection has served a message before, else OK; stale421 the same with a 421
"""
import argparse
import base64
import os
import pathlib
import re
import socket
import ssl
import struct
import sys
import threading
import time
import warnings


class Gone(Exception):
    """The connection is over, by either side."""


class Peer:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.connections = self.messages = 0
        self.log_file = open(options.dir / "log", "a", buffering=1)

    def log(self, number, line):
        with self.lock:
            self.log_file.write(f"{number} {line}\n")

    def keep(self, body):
        with self.lock:
            self.messages += 1
            (self.options.dir / f"{self.messages}.eml.new").write_bytes(body)
            (self.options.dir / f"{self.messages}.eml.new").rename(self.options.dir / f"{self.messages}.eml")


class Conversation:
    def __init__(self, peer, sock, number):
        self.peer, self.sock, self.number = peer, sock, number
        self.options, self.buffer, self.served = peer.options, b"", 0
        self.phase = self.action = ""
        self.in_tls = False

    # ---- octets

    def send(self, octets):
        self.sock.sendall(octets)

    def line(self):
        while b"\n" not in self.buffer:
            octets = self.sock.recv(65536)
            if not octets:
                raise Gone
            self.buffer += octets
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line + b"\n"

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if self.options.tls_max:
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion[self.options.tls_max]
            context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(self.options.cert, self.options.key)
        self.sock = context.wrap_socket(self.sock, server_side=True)
        self.in_tls = True

    # ---- doing wrong

    def hang(self):
        while self.sock.recv(65536):
            pass
        raise Gone

    def then_gone(self, octets):
        self.send(octets)
        time.sleep(0.05)
        raise Gone

    def endless(self, code):
        while True:
            self.send(code + b"-and another thing\r\n" * 50)

    def trickle(self, octets):
        for octet in octets:
            self.send(bytes([octet]))
            time.sleep(0.1)

    def answer(self, action, ok):
        """Gives the answer OK, or does wrong by the action. True where the conversation goes on as if OK was said."""
        code = ok[:3]
        if action.isdigit():
            reply = f"{action}-{action[0]}.1.1 first line\r\n{action} {action[0]}.1.1 second line\r\n".encode()
            if action == "421":
                self.then_gone(reply)
            self.send(reply)
            return False
        if action == "echo":
            self.send(b"550 5.7.1 " + self.said + b" may not\r\n")
            return False
        if action.startswith("late"):
            time.sleep(float(action[4:]))
            action = ""
        if action.startswith("stale"):
            action = {"stale": "drop", "stale421": "421"}[action] if self.served else ""
            return self.answer(action, ok)
        if action == "drop":
            raise Gone
        if action == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        if action == "hang":
            self.hang()
        if action == "garbage":
            self.send(b"\xff\x00 what? \x1b[31m\r\n")
            self.hang()
        if action == "endless":
            self.endless(code)
        wrong = {"half": ok[:2], "nocrlf": ok.rstrip(), "multi": code + b"-first part\r\n", "okdrop": ok,
                 "ok421": ok + b"421 4.4.2 idle too long\r\n"}
        if action in wrong:
            self.then_gone(wrong[action])
        if action == "trickle":
            self.trickle(ok)
        elif action == "odd":
            self.send(b"251 2.0.0 somewhere else\r\n")
        elif action.startswith("two"):
            self.send(ok if action[3:] else ok + b"250 2.0.0 and again\r\n")
            if action[3:]:
                time.sleep(float(action[3:]))
                self.send(b"250 2.0.0 and again\r\n")
        elif action == "":
            self.send(ok)
        else:
            raise SystemExit(f"no such action: {action}")
        return True

    def of(self, phase):
        return self.action if self.phase == phase else ""

    # ---- the commands

    def ehlo(self):
        if self.options.ehlo:
            return self.answer(self.options.ehlo, b"250 peer\r\n")
        words = ["peer", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self.options.auth and (self.in_tls or not self.options.cert):
            words.append(f"AUTH {self.options.auth}")
        if self.options.starttls != "none" and self.options.cert and not self.in_tls:
            words.append("STARTTLS")
        self.send("".join(f"250{'-' if word != words[-1] else ' '}{word}\r\n" for word in words).encode())
        return True

    def starttls(self):
        if self.options.starttls == "inject":
            self.send(b"220 go\r\n250-peer\r\n250 AUTH PLAIN\r\n")
        elif not self.answer(self.options.starttls, b"220 go\r\n"):
            return
        self.start_tls()

    def sign_in(self, words):
        mechanism = words[1].upper()
        if mechanism == b"PLAIN":
            if len(words) < 3:
                self.send(b"334 \r\n")
                words.append(self.line().strip())
            self.peer.log(self.number, f"AUTH-PLAIN {words[2].decode()}")
        elif mechanism == b"LOGIN":
            if len(words) < 3:
                self.send(b"334 VXNlcm5hbWU6\r\n")
                words.append(self.line().strip())
            self.send(b"334 UGFzc3dvcmQ6\r\n")
            self.peer.log(self.number, f"AUTH-LOGIN {words[2].decode()} {self.line().strip().decode()}")
        elif mechanism == b"OAUTHBEARER":
            if len(words) < 3:
                self.send(b"334 \r\n")
                words.append(self.line().strip())
            self.peer.log(self.number, "AUTH-BEARER " + re.search(rb"auth=Bearer ([^\1]*)", base64.b64decode(words[2])).group(1).decode())
        else:
            self.peer.log(self.number, f"AUTH-OTHER {mechanism.decode()}")
            self.send(b"504 5.5.4 no such mechanism\r\n")
            return
        self.said = base64.b64decode(words[2]).replace(b"\0", b" ").replace(b"\1", b" ")
        if self.options.auth_reply == "echo":
            self.send(b"535 5.7.8 I know no " + self.said + b"\r\n")
            return
        self.answer(self.options.auth_reply, b"235 2.7.0 welcome\r\n")

    def mail(self, line):
        local = line.split(b"<", 1)[1].split(b">")[0].split(b"@")[0].decode("utf-8", "replace")
        self.phase, _, self.action = local.partition(".")
        self.answer(self.of("mail"), b"250 2.1.0 ok\r\n")

    def data(self):
        if not self.answer(self.of("data"), b"354 go ahead\r\n"):
            return
        if self.phase == "body":
            self.sock.recv(1000)
            self.answer(self.action, b"")
        body = b""
        while (line := self.line()) != b".\r\n":
            body += line[1:] if line.startswith(b".") else line
        self.peer.keep(body)
        self.peer.log(self.number, "MESSAGE")
        self.answer(self.of("dot"), b"250 2.0.0 queued as ABC123\r\n")
        self.served += 1

    def command(self, line):
        word = line.upper().split(b":")[0].strip()
        if not word.startswith(b"AUTH"):
            self.peer.log(self.number, line.decode("utf-8", "replace").rstrip("\r\n"))
        if word.startswith(b"EHLO"):
            self.ehlo()
        elif word == b"STARTTLS":
            self.starttls()
        elif word.startswith(b"AUTH"):
            self.sign_in(line.split())
        elif word == b"MAIL FROM":
            self.mail(line)
        elif word == b"RCPT TO":
            self.answer(self.of("rcpt"), b"250 2.1.5 ok\r\n")
        elif word == b"DATA":
            self.data()
        elif word == b"QUIT":
            if self.options.quit:
                self.answer(self.options.quit, b"221 2.0.0 bye\r\n")
            self.then_gone(b"221 2.0.0 bye\r\n")
        else:
            self.send(b"250 2.0.0 ok\r\n")

    def run(self):
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.options.implicit:
                self.start_tls()
            if self.answer(self.options.greeting, b"220 peer ESMTP\r\n") or not self.options.greeting.isdigit():
                while True:
                    self.command(self.line())
            self.hang()
        except (Gone, OSError) as end:
            self.peer.log(self.number, f"CLOSED {type(end).__name__}")
        finally:
            self.sock.close()


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    for name in ("greeting", "ehlo", "starttls", "auth", "auth-reply", "quit", "cert", "key", "tls-max"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--implicit", action="store_true", help="TLS from the start")
    return parser.parse_args()


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    warnings.simplefilter("ignore", DeprecationWarning)  # old TLS is offered on purpose
    peer = Peer(parse())
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    print(f"PORT {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    while True:
        sock, _ = listener.accept()
        peer.connections += 1
        peer.log(peer.connections, "OPENED")
        threading.Thread(target=Conversation(peer, sock, peer.connections).run, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
