"""Starting, awaiting and ending processes by their id, never by a name."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from parts.places import RigError

PATIENCE = 20.0


def find(name, *extra):
    """The full path of a server's program; the daemons' folders are often not on PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", *extra])
    found = shutil.which(name, path=path)
    if found is None:
        raise RigError(f"{name}: not installed (see tests/run, which installs what the rig needs)")
    return found


def run(*command, **options):
    """Run to the end and return what it printed; a failure carries it."""
    # Into a file: a daemon that the command leaves behind would hold a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False, **options)
        output.seek(0)
        said = output.read()
    if done.returncode != 0:
        raise RigError(f"{' '.join(str(part) for part in command)}: exit {done.returncode}\n{said}".rstrip())
    return said


def wait_until(what, probe, patience=PATIENCE):
    """Return once `probe()` is true; an error that names `what` when it stays false."""
    deadline = time.monotonic() + patience
    while not probe():
        if time.monotonic() > deadline:
            raise RigError(f"{what}: not so after {patience:.0f} s")
        time.sleep(0.02)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_for_port(name, port):
    wait_until(f"{name} answers on 127.0.0.1:{port}", lambda: accepts(port))


def read_pid(path):
    """The process id in a pid file, or None when there is no such file or nobody lives under it."""
    try:
        pid = int(path.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return pid if alive(pid) else None


def alive(pid):
    """Whether the process still does anything: in a container without an init the ended ones stay listed as zombies."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    # The name before it stands in parentheses and may hold anything.
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def end(pid, what):
    """Ask a process to end, insist after a while, and return when it is gone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        try:
            wait_until(f"{what} (process {pid}) ended", lambda: not alive(pid), patience=10)
            return
        except RigError:
            if number == signal.SIGKILL:
                raise
