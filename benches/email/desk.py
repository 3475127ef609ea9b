"""The daemon under measurement: its configuration, its process, and its database read from outside.

Counts come from the database file by a second, read-only connection: what it shows is committed, whatever the daemon believes.
"""

import os
import signal
import socket
import sqlite3
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
TICK = os.sysconf("SC_CLK_TCK")

# The caps are widened, since the mails of a bench come in an hour in which a desk would see ten; nothing else is.
CONFIG = """\
[http]
listen = "127.0.0.1:{http}"

[caps]
breaker_floor = 100000000

[[source]]
name = "support-mail"
channel = "email"
{account}
"""


def binary(named):
    """The program to measure: as named, else the smallest build there is; and which it is."""
    candidates = [Path(named)] if named else [ROOT / "target" / profile / "guichet" for profile in ("dist", "release")]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    raise SystemExit("no program to measure: cargo build --locked --profile dist (or --release), or name one with --binary")


class Desk:
    """A daemon on a state folder of its own."""

    def __init__(self, program, state, account, http):
        self.program, self.state, self.process = program, state, None
        state.mkdir(parents=True, exist_ok=True)
        self.config = state / "guichet.toml"
        self.config.write_text(CONFIG.format(http=http, account=account))
        self.log = state / "log"

    def start(self):
        """Start it and wait until it says it is ready, as systemd would; returns the moment it did."""
        notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        address = str(self.state / "notify")
        Path(address).unlink(missing_ok=True)
        notices.bind(address)
        notices.settimeout(60)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--config", self.config, "--state", self.state, "run"],
                env=os.environ | {"NOTIFY_SOCKET": address},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            while b"READY=1" not in notices.recv(4096):
                pass
        except TimeoutError:
            raise SystemExit(f"the daemon is not ready after 60 s: {self.log.read_text()[-2000:]}") from None
        finally:
            notices.close()
        return time.perf_counter()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        self.process = None

    def memory(self, key="VmRSS"):
        """Resident memory in MiB; `VmHWM` is the most it ever was."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024 / MIB
        raise SystemExit("the daemon is gone: " + self.log.read_text()[-2000:])

    def cpu(self):
        """Seconds of processor time it took so far, its own and the kernel's for it."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def database(self):
        files = [file for file in self.state.iterdir() if file.suffix in (".db", ".sqlite", ".sqlite3")]
        if not files:
            raise SystemExit(f"no database in {self.state}")
        connection = sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True, isolation_level=None, timeout=30)
        connection.execute("PRAGMA query_only = 1")
        return connection


def tickets(database):
    """Tickets opened so far, by the tally that is written in the same transaction."""
    return database.execute("SELECT coalesce(sum(n), 0) FROM tally WHERE verdict = 'opened'").fetchone()[0]


def last_delivery(database):
    """The number of the last row of the outbox: what comes later has a higher one."""
    return database.execute("SELECT coalesce(max(number), 0) FROM outbox").fetchone()[0]


def acknowledgements(database, state=None, since=0):
    """Acknowledgements behind row `since` of the outbox, all or those in one state. A count of all rows of a large database takes longer than
    what is measured by it."""
    where = "number > ? AND kind = 'acknowledgement'" + (" AND state = ?" if state else "")
    return database.execute(f"SELECT count(*) FROM outbox WHERE {where}", [since, state] if state else [since]).fetchone()[0]


def watch(count, target, patience=600, every=0.01, began=None):
    """Poll `count()` until it reaches `target`; returns the (seconds, count) pairs seen, on a clock that started at `began`, or now."""
    began = time.perf_counter() if began is None else began
    seen = []
    while True:
        found = count()
        now = time.perf_counter() - began
        seen.append((now, found))
        if found >= target:
            return seen
        if now > patience:
            raise SystemExit(f"{found} of {target} after {patience} s; the daemon's log says more")
        time.sleep(every)


def steady_rate(seen, low=0.1, high=0.9):
    """Units a second between a tenth and nine tenths of the way: neither the start nor the last stragglers."""
    first, last = seen[0][1], seen[-1][1]
    span = [(at, n) for at, n in seen if first + low * (last - first) <= n <= first + high * (last - first)]
    if len(span) < 2 or span[-1][0] == span[0][0]:
        return (last - first) / seen[-1][0] if seen[-1][0] else 0.0
    return (span[-1][1] - span[0][1]) / (span[-1][0] - span[0][0])
