"""An SMTP server that fails where it is told to, and counts what it took, by recipient: what it has answered for with 250, or would have, had the
connection not ended. Prints its port; then takes requests, a line each, and answers each with a line of JSON (see Peer.answer()):

aim PHASE FAULT   the next conversation that comes to that phase meets that fault, and every fourth thereafter
wait SECONDS      answers when the fault that was aimed at has been met, or after so many seconds
kind              no misbehaviour from now on
counts            only the answer

Beside what is aimed at, one step in fifty fails in some other way, so that faults meet each other, too.
"""
import asyncio
import collections
import json
import random
import struct
import sys

OK = {"greeting": b"220 sink ESMTP\r\n", "ehlo": b"250-sink\r\n250-8BITMIME\r\n250-AUTH PLAIN\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 50000000\r\n",
      "auth": b"235 2.7.0 Ok\r\n", "mail": b"250 2.1.0 Ok\r\n", "rcpt": b"250 2.1.5 Ok\r\n", "data": b"354 go on\r\n", "dot": b"250 2.0.0 Ok: queued\r\n"}
REFUSED = {"auth": b"535 5.7.8 "}
# drop and reset end the connection without a word; half: within the answer. stall: no answer ever. slow: an octet at a time. endless: lines of one reply
ANSWERS = ["drop", "reset", "half", "garbage", "4xx", "5xx", "421", "late", "slow", "endless", "stall"]
# ours, and the connection lost before, within or behind the answer
TAKEN = ["taken-drop", "taken-half", "taken-reset", "taken-behind"]
FAULTS = {**dict.fromkeys(["greeting", "ehlo", "auth", "mail", "rcpt", "data"], ANSWERS), "body": ["drop", "reset", "stall"], "dot": ANSWERS + TAKEN}
NOISE, AGAIN = 0.02, 0.25


class Over(Exception):
    """The conversation is over."""


class Conversation:
    def __init__(self, peer, reader, writer):
        self.peer, self.dice, self.reader, self.writer = peer, peer.dice, reader, writer
        self.recipient = ""

    async def say(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER
        self.writer.transport.abort()
        raise Over

    async def stall(self):
        await self.reader.read()  # until the client goes
        raise Over

    async def take(self, fault):
        """After the dot: it is ours, whatever becomes of the answer."""
        self.peer.taken[self.recipient] += 1
        if fault == "taken-half":
            await self.say(b"25")
        elif fault == "taken-behind":
            await self.say(OK["dot"])
        elif fault == "taken-reset":
            self.reset()
        raise Over

    async def accept(self, phase, fault):
        if phase == "dot":
            self.peer.taken[self.recipient] += 1
        if fault == "late":
            await asyncio.sleep(self.dice.uniform(0.05, 0.3))
        if fault != "slow":
            return await self.say(OK[phase])
        for octet in OK[phase]:
            await self.say(bytes([octet]))
            await asyncio.sleep(0.002)

    async def fail(self, phase, fault):
        if fault in TAKEN:
            await self.take(fault)
        if fault in ("4xx", "5xx"):
            await self.say((b"451 4.3.0 " if fault == "4xx" else REFUSED.get(phase, b"550 5.1.1 ")) + b"not this one\r\n")
            if phase not in ("greeting", "ehlo"):
                return
        elif fault == "421":
            await self.say(b"421 4.3.2 closing\r\n")
        elif fault == "half":
            await self.say(OK[phase][:2])
        elif fault == "garbage":
            await self.say(bytes(self.dice.randrange(256) for _ in range(40)) + b"\r\n")
        elif fault == "endless":
            for _ in range(2000):
                await self.say(b"250-and more and more and more and more\r\n")
        elif fault == "reset":
            self.reset()
        elif fault == "stall":
            await self.stall()
        raise Over

    async def answer(self, phase):
        """True where the client may go on as if all were well."""
        fault = self.peer.fault(phase, self.recipient)
        if fault in (None, "late", "slow"):
            await self.accept(phase, fault)
            return True
        return await self.fail(phase, fault)

    async def body(self):
        fault = self.peer.fault("body", self.recipient)
        if fault:
            await self.reader.readline()
            await self.fail("body", fault)
        async for line in self.reader:
            if line == b".\r\n":
                return
        raise Over

    async def command(self, line):
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            await self.answer("ehlo")
        elif verb == b"AUTH":
            if len(line.split()) == 2:
                await self.say(b"334 \r\n")
                await self.reader.readline()
            await self.answer("auth")
        elif verb == b"MAIL":
            self.recipient = ""
            await self.answer("mail")
        elif verb == b"RCPT":
            self.recipient = line.split(b"<", 1)[1].split(b">", 1)[0].decode()
            await self.answer("rcpt")
        elif verb == b"DATA":
            if await self.answer("data"):
                await self.body()
                await self.answer("dot")
        elif verb == b"QUIT":
            await self.say(b"221 bye\r\n")
            raise Over
        else:
            await self.say(b"250 Ok\r\n")

    async def run(self):
        try:
            await self.answer("greeting")
            async for line in self.reader:
                await self.command(line)
        except (Over, ConnectionError, asyncio.IncompleteReadError, ValueError):
            pass
        finally:
            self.writer.close()


class Peer:
    def __init__(self, seed):
        self.dice, self.aim = random.Random(seed), None
        self.taken, self.hurt = collections.Counter(), collections.defaultdict(set)
        self.bites, self.bitten = 0, asyncio.Event()

    def fault(self, phase, recipient):
        """What happens to this step: None, or the name of a fault, which is written down."""
        if not self.aim:
            return None
        fault = None
        if self.aim[0] == phase and (self.bites == 0 or self.dice.random() < AGAIN):
            fault = self.aim[1]
            self.bites += 1
            self.bitten.set()
        elif self.dice.random() < NOISE:
            fault = self.dice.choice(FAULTS[phase])
        if fault:
            self.hurt[recipient].add(f"{phase} {fault}")
        return fault

    async def on_connection(self, reader, writer):
        await Conversation(self, reader, writer).run()

    async def obey(self, verb, *arguments):
        if verb == "aim":
            self.aim, self.bites = arguments, 0
            self.bitten.clear()
        elif verb == "kind":
            self.aim = None
        elif verb == "wait":
            try:
                await asyncio.wait_for(self.bitten.wait(), float(arguments[0]))
            except asyncio.TimeoutError:
                pass

    def answer(self):
        """taken: how many messages, by recipient. hurt: "phase fault" that a message of the recipient has met; "" where none was named yet.
        bites: of what is aimed at, since then."""
        return json.dumps({"taken": self.taken, "hurt": {address: sorted(faults) for address, faults in self.hurt.items()}, "bites": self.bites})


async def main():
    peer = Peer(sys.argv[1])
    server = await asyncio.start_server(peer.on_connection, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await peer.obey(*line.split())
        print(peer.answer(), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
