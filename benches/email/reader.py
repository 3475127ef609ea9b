"""The yardstick: an IMAP client that does nothing but read, as fast as the server gives.

Over TLS, always with more asked for than has come, so that the server never waits for us; it neither parses nor keeps what it reads.
Two ways to ask: one command a mail, hundreds of them under way (what "pipelined" says), and ranges of hundreds of mails a command, two of them
under way, which spares the server the parsing and is the fastest way there is.
"""

import re
import socket
import ssl
import time
from collections import deque

WINDOW = 250
LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


class Reader:
    """One session on the INBOX of one user."""

    def __init__(self, env, user):
        raw = socket.create_connection(("127.0.0.1", int(env["RIG_IMAPS"])), timeout=60)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = ssl.create_default_context(cafile=env["RIG_CA"]).wrap_socket(raw, server_hostname="localhost")
        self.buffer = self.socket.makefile("rb", buffering=1 << 18)
        self.tags = 0
        self.buffer.readline()
        self.finish(self.ask(f"LOGIN {user} {env['RIG_PASSWORD']}"))

    def ask(self, command):
        self.tags += 1
        tag = b"t%d" % self.tags
        self.socket.sendall(tag + b" " + command.encode() + b"\r\n")
        return tag

    def finish(self, tag):
        """Read up to the end of the command; returns its lines, and how many mails of how many bytes came with them."""
        lines, mails, size = [], 0, 0
        while True:
            line = self.buffer.readline()
            if not line:
                raise EOFError("the IMAP server closed the connection")
            literal = LITERAL.search(line[-14:])
            if literal:
                length = int(literal[1])
                self.skip(length)
                mails += 1
                size += length
            elif line.startswith(tag + b" "):
                if not line.startswith(tag + b" OK"):
                    raise RuntimeError(line.decode())
                return lines, mails, size
            else:
                lines.append(line)

    def skip(self, length):
        while length > 0:
            length -= len(self.buffer.read(min(length, 1 << 16)))

    def close(self):
        self.finish(self.ask("LOGOUT"))
        self.socket.close()


def read_all(env, user, ranges):
    """Read every mail of the user's INBOX once; returns how many and in how many seconds, from the first request to the last byte."""
    reader = Reader(env, user)
    reader.finish(reader.ask("SELECT INBOX"))
    # The server numbers new files when the box is first opened, whoever opens it: not part of reading.
    lines, _, _ = reader.finish(reader.ask("UID SEARCH ALL"))
    uids = [int(word) for line in lines if line.startswith(b"* SEARCH") for word in line.split()[2:]]
    began = time.perf_counter()
    if ranges:
        wanted = [f"{uids[at]}:{uids[min(at + WINDOW, len(uids)) - 1]}" for at in range(0, len(uids), WINDOW)]
    else:
        wanted = [str(uid) for uid in uids]
    ahead = 2 if ranges else WINDOW
    asked, mails = deque(), 0
    for uids in wanted:
        asked.append(reader.ask(f"UID FETCH {uids} (UID BODY.PEEK[])"))
        if len(asked) == ahead:
            # Half of what is under way, so that asking too goes in batches.
            while len(asked) > ahead // 2:
                mails += reader.finish(asked.popleft())[1]
    for tag in asked:
        mails += reader.finish(tag)[1]
    took = time.perf_counter() - began
    reader.close()
    return mails, took
