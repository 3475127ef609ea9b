"""Mail by SMTP: what Postfix's own tools do in the place of the daemon, and single mails timed to their tickets."""

import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "rig"))
from parts.process import end, find, wait_for_port  # noqa: E402

PARALLEL = 8


class Sink:
    """Postfix's smtp-sink: takes any mail and forgets it."""

    def __init__(self, port):
        self.port = port
        command = [find("smtp-sink"), "-u", "nobody", f"127.0.0.1:{port}", "256"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port("smtp-sink", port)

    def stop(self):
        end(self.process.pid, "smtp-sink")
        self.process.wait()


def source_rate(port, mails, size, keep):
    """Mails a second of smtp-source with 8 sessions; `keep` leaves the connections open, as our pool does."""
    command = [find("smtp-source"), "-s", str(PARALLEL), "-m", str(mails), "-l", str(size), "-f", "support@helpdesk.test", "-t", "person@customer.test"]
    began = time.perf_counter()
    subprocess.run([*command, *(["-d"] if keep else []), f"127.0.0.1:{port}"], check=True, stdin=subprocess.DEVNULL)
    return mails / (time.perf_counter() - began)


def idle_latencies(env, count, tickets):
    """For `count` mails sent one by one to support: seconds from Postfix's 250 to one more ticket."""
    found = []
    for k in range(count):
        before = tickets()
        letter = EmailMessage()
        letter["From"], letter["To"] = f"person-{k}@customer.test", "support@helpdesk.test"
        letter["Subject"], letter["Message-ID"] = f"Imprimante {k}", f"<idle.{time.time_ns()}@customer.test>"
        letter.set_content("Bonjour, l'imprimante du deuxième étage ne répond plus.\n")
        with smtplib.SMTP("127.0.0.1", int(env["RIG_SMTP"]), timeout=30) as smtp:
            smtp.send_message(letter)
            began = time.perf_counter()
        while tickets() == before:
            if time.perf_counter() - began > 30:
                raise SystemExit(f"mail {k} is no ticket after 30 s")
            time.sleep(0.002)
        found.append(time.perf_counter() - began)
    return found
