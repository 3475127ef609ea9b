"""A client of another make: plays golden conversations with Python's `websockets`. Written from docs/CHAT-PROTOCOL.md alone.

    foreign.py WS-URL ORIGIN GOLDEN.jsonl...

Steps of the desk are asked for on standard output, a line of JSON each, and are done when a line comes back. Ends with `played N`.
"""

import asyncio
import base64
import json
import re
import secrets
import sys
import uuid

import websockets

PASSING = {"conv", "desk", "presence", "read", "typing"}
PLACE = re.compile(r"^<([^<>]+)>$")


class Player:
    def __init__(self, url, origin):
        self.url, self.origin, self.socket, self.values, self.ticket = url, origin, None, {}, None

    async def play(self, path):
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                step = json.loads(line)
                try:
                    await getattr(self, {"c>s": "send", "s>c": "expect"}.get(step["dir"], step["dir"]))(step)
                except Exception as problem:
                    raise SystemExit(f"{path}:{number}: {problem!r}") from problem
        await self.cut({})

    async def connected(self):
        if self.socket is None:
            self.socket = await websockets.connect(self.url, subprotocols=["guichet.v1"], origin=self.origin)
            assert self.socket.subprotocol == "guichet.v1"
        return self.socket

    async def send(self, step):
        frame = self.filled(step["frame"])
        await (await self.connected()).send(json.dumps(frame))

    async def expect(self, step):
        while True:
            frame = json.loads(await asyncio.wait_for((await self.connected()).recv(), 20))
            found = {}
            what = self.differs(step["frame"], frame, found)
            if what is None:
                self.values |= found
                if frame["type"] == "ack":
                    self.ticket = frame["ticket"]
                return
            if frame["type"] not in PASSING:
                raise AssertionError(f"{what}; got {frame}")

    async def cut(self, _step):
        if self.socket is not None:
            # As a line that breaks: no farewell.
            self.socket.transport.abort()
            self.socket = None

    async def close(self, step):
        try:
            while True:
                await asyncio.wait_for(self.socket.recv(), 20)
        except websockets.ConnectionClosed as end:
            assert end.rcvd is not None and end.rcvd.code == step["code"], end
        self.socket = None

    async def desk(self, step):
        print(json.dumps({"ticket": self.ticket, "does": step["does"], "text": step.get("text", "")}), flush=True)
        line = await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        assert line, "nobody is at the desk"

    def value(self, name):
        if name not in self.values:
            if name.endswith("token"):
                self.values[name] = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
            elif name.startswith("cid"):
                self.values[name] = str(uuid.uuid4())
            else:
                raise KeyError(f"<{name}> has no value yet")
        return self.values[name]

    def filled(self, part):
        if isinstance(part, str):
            place = PLACE.match(part)
            return self.value(place[1]) if place else part
        if isinstance(part, list):
            return [self.filled(item) for item in part]
        if isinstance(part, dict):
            return {self.filled(name): self.filled(field) for name, field in part.items()}
        return part

    def differs(self, wanted, got, found):
        """What of `wanted` does not hold of `got`; None when all of it does."""
        place = PLACE.match(wanted) if isinstance(wanted, str) else None
        if place:
            name = place[1]
            if got is None:
                return f"<{name}> is missing"
            if name == "_":
                return None
            known = self.values.get(name, found.get(name))
            if known is None:
                found[name] = got
            return None if known in (None, got) else f"<{name}> is {known}, not {got}"
        if isinstance(wanted, dict) and isinstance(got, dict):
            return next((f"{name}: {what}" for name, field in wanted.items() if (what := self.differs(field, got.get(name), found))), None)
        if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
            return next((what for pair in zip(wanted, got) if (what := self.differs(*pair, found))), None)
        return None if wanted == got and type(wanted) is type(got) else f"wanted {wanted}, not {got}"


async def main(url, origin, *files):
    for file in files:
        await Player(url, origin).play(file)
    print(f"played {len(files)}", flush=True)


asyncio.run(main(*sys.argv[1:]))
