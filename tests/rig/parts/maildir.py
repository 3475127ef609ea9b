"""Mail put straight into a mailbox's maildir: some thousands a second, where LMTP takes tens."""

import os
import pwd
import shutil
import time

OWNER = "mail"
SUBJECTS = ["Imprimante bloquée", "VPN down since this morning", "Écran noir", "Cannot log in", "Demande d'accès au partage", "Mouse broken"]
SENTENCE = "Bonjour, depuis ce matin mon poste ne se connecte plus au serveur du service."


def synthetic(count, size, sender, recipient, start=1):
    """`count` requests of about `size` bytes, CRLF line ends, each with its own Message-ID; `sender` may hold `{k}`."""
    sent = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    line = SENTENCE.encode() + b"\r\n"
    for k in range(start, start + count):
        address = sender.format(k=k)
        head = (
            f"Return-Path: <{address}>\r\n"
            f"Delivered-To: {recipient}\r\n"
            f"Received: from client by mx.helpdesk.test with ESMTP; {sent}\r\n"
            f"From: Person {k} <{address}>\r\nTo: {recipient}\r\nSubject: {SUBJECTS[k % len(SUBJECTS)]} {k}\r\n"
            f"Message-ID: <filled-{k}@{address.rpartition('@')[2]}>\r\nDate: {sent}\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        ).encode()
        yield head + line * max(1, (size - len(head)) // len(line))


def drop(home, messages, mailbox="INBOX"):
    """Put each of `messages` (bytes) into the mailbox as delivered and unseen; returns how many."""
    owner = pwd.getpwnam(OWNER)
    maildir = home / "Maildir"
    box = maildir if mailbox == "INBOX" else maildir / f".{mailbox}"
    for part in (home, maildir, box, *(box / name for name in ("cur", "new", "tmp"))):
        if not part.exists():
            part.mkdir(parents=True)
            os.chown(part, owner.pw_uid, owner.pw_gid)
    count = 0
    # Dovecot reads a name as a date, and new mail gets its number in the order of the names.
    stamp = time.time_ns()
    for raw in messages:
        # S and W as LMTP writes them: without W the server reads each file to tell its size with CRLF.
        bare = raw.count(b"\n") - raw.count(b"\r\n")
        when = stamp + count * 1000
        name = f"{when // 10**9}.M{when % 10**9 // 1000:06d}P{os.getpid()}Q{count}.rig,S={len(raw)},W={len(raw) + bare}"
        draft = box / "tmp" / name
        file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(file, raw)
            os.fchown(file, owner.pw_uid, owner.pw_gid)
        finally:
            os.close(file)
        os.rename(draft, box / "new" / name)
        count += 1
    return count


def empty(home):
    """Take every mail and every number away, as if the account were new."""
    shutil.rmtree(home / "Maildir", ignore_errors=True)
