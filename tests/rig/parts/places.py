"""Where things of one rig lie, which ports it has, and the `env` file that tells its users."""

import os
import random
import socket
from pathlib import Path

PASSWORD = "secret"
DESK = "helpdesk.test"
PUBLIC = "customer.test"
# Another name of the mailbox `support`.
ALIAS = "helpdesk"

# One rig takes ten neighbouring ports, so that several stand side by side at bases ten apart.
OFFSETS = {"smtp": 0, "submission": 1, "smtps": 2, "imap": 3, "imaps": 4, "oauth": 5, "oauth_tls": 6}
BLOCK = 10
# Linux hands out 32768 and up to clients; a server there may find its port taken by somebody's connection.
LOWEST, HIGHEST = 20000, 32000
# A unix socket's address holds 107 bytes, and the longest of ours adds 30 to the folder.
LONGEST_FOLDER = 75


class RigError(Exception):
    """Something the person at the terminal can mend; the text says how."""


def folder(text):
    """The rig's folder as an absolute path, refused when the servers could not work in it."""
    path = Path(text).resolve()
    if len(str(path)) > LONGEST_FOLDER:
        raise RigError(f"{path}: longer than {LONGEST_FOLDER} characters, unix sockets would not fit; use a shorter one")
    return path


def open_to_servers(path):
    """The servers drop to other users: they must be able to walk down to the rig."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
    for parent in path.parents:
        if not parent.stat().st_mode & 0o001:
            raise RigError(f"{parent}: not walkable for other users, so mail could not be delivered below it; chmod o+x it, or use another folder")


def ports(base):
    """The port of every service of a rig that starts at `base`."""
    return {name: base + offset for name, offset in OFFSETS.items()}


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_base(length=BLOCK):
    """The first port of a free block of `length` ports, at a random place so that rigs starting together rarely meet."""
    candidates = list(range(LOWEST, HIGHEST, length))
    random.shuffle(candidates)
    for base in candidates:
        if all(is_free(base + offset) for offset in range(length)):
            return base
    raise RigError(f"no {length} neighbouring free ports between {LOWEST} and {HIGHEST}")


def write_env(path, pairs):
    """Write `env` whole or not at all: whoever sees the file may rely on the servers being up."""
    draft = path / "env.draft"
    draft.write_text("".join(f"{key}={value}\n" for key, value in pairs.items()))
    os.replace(draft, path / "env")


def read_env(path):
    try:
        lines = (path / "env").read_text().splitlines()
    except FileNotFoundError:
        raise RigError(f"{path}: no rig was started here (no file `env`)") from None
    return dict(line.split("=", 1) for line in lines if line)
