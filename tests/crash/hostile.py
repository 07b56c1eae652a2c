"""An SMTP server that fails at any phase, by dice, and counts what it took, by recipient: what it has answered for with 250, or would have, had the
connection not ended. hostile.py SEED prints its port; "counts" gives a line an address, then "end"; "kind" ends all misbehaviour.

Each phase (greeting, ehlo, mail, rcpt, data, dot) may: drop, reset, half (of a reply, then drop), garbage, 4xx, 5xx, 421, late, slow (an octet at a time),
endless (lines of one reply); after the dot also: taken, and the connection dropped before, within or behind the 250.
"""
import asyncio
import collections
import random
import struct
import sys

counts = collections.Counter()
OK = {"greeting": b"220 sink ESMTP\r\n", "ehlo": b"250-sink\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 50000000\r\n", "mail": b"250 2.1.0 Ok\r\n",
      "rcpt": b"250 2.1.5 Ok\r\n", "data": b"354 go on\r\n", "dot": b"250 2.0.0 Ok: queued\r\n"}
FAULTS = ["drop", "reset", "half", "garbage", "4xx", "5xx", "421", "late", "slow", "endless"]
# a message is refused for good rarely, so that most are still to be sent when something else goes wrong
RARE = {"5xx": 0.1}


class Over(Exception):
    """The conversation is over."""


class Conversation:
    def __init__(self, dice, reader, writer):
        self.dice, self.reader, self.writer = dice, reader, writer
        self.recipient = ""

    def fault(self, phase):
        share = 0.04 if phase in ("greeting", "ehlo") else 0.06
        if not dice_of.hostile or self.dice.random() >= share:
            return None
        fault = self.dice.choice(FAULTS + (["taken-drop", "taken-half", "taken-reset", "taken-behind"] * 2 if phase == "dot" else []))
        return fault if self.dice.random() < RARE.get(fault, 1) else None

    async def say(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SOL_SOCKET, SO_LINGER
        self.writer.transport.abort()
        raise Over

    async def take(self, fault):
        """After the dot: it is ours, whatever becomes of the answer."""
        counts[self.recipient] += 1
        if fault == "taken-half":
            await self.say(b"25")
        elif fault == "taken-behind":
            await self.say(OK["dot"])
        elif fault == "taken-reset":
            self.reset()
        raise Over

    async def answer(self, phase):
        """True where the client may go on as if all were well."""
        fault, ok = self.fault(phase), OK[phase]
        if fault and fault.startswith("taken"):
            await self.take(fault)
        if fault in (None, "late", "slow"):
            if phase == "dot":
                counts[self.recipient] += 1
            if fault == "late":
                await asyncio.sleep(self.dice.uniform(0.1, 0.6))
            for i in range(len(ok) if fault == "slow" else 0):
                await self.say(ok[i:i + 1])
                await asyncio.sleep(0.005)
            if fault != "slow":
                await self.say(ok)
            return True
        if fault in ("4xx", "5xx"):
            code = {"4xx": b"451 4.3.0 ", "5xx": b"550 5.1.1 "}[fault]
            await self.say(code + b"not this one\r\n")
            if phase in ("greeting", "ehlo"):
                raise Over
            return False
        if fault == "421":
            await self.say(b"421 4.3.2 closing\r\n")
        elif fault == "half":
            await self.say(ok[:2])
        elif fault == "garbage":
            await self.say(bytes(self.dice.randrange(256) for _ in range(40)) + b"\r\n")
        elif fault == "endless":
            for _ in range(2000):
                await self.say(b"250-and more and more and more and more\r\n")
        elif fault == "reset":
            self.reset()
        raise Over

    async def body(self):
        async for line in self.reader:
            if line == b".\r\n":
                return
        raise Over

    async def command(self, line):
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            await self.answer("ehlo")
        elif verb == b"MAIL":
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


class Dice:
    """One stream of dice a connection, so that a seed means much the same again."""

    def __init__(self, seed):
        self.seed, self.connections, self.hostile = seed, 0, True

    async def on_connection(self, reader, writer):
        self.connections += 1
        await Conversation(random.Random(f"{self.seed} {self.connections}"), reader, writer).run()


dice_of = Dice(sys.argv[1])


async def main():
    server = await asyncio.start_server(dice_of.on_connection, "127.0.0.1", 0, limit=1 << 20)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line == "kind\n":
            dice_of.hostile = False
        for address, count in list(counts.items()):
            print(address, count)
        print("end", flush=True)


asyncio.run(main())
