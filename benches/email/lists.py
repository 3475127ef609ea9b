"""What an agent waits for: lists of tickets over the daemon's own socket, page after page, and the command line."""

import http.client
import json
import socket
import statistics
import subprocess
import time
import urllib.parse

PAGES = 10
# What is asked for, by the name of its line in the table. References and addresses are those the bench itself made.
QUERIES = {
    "all": "",
    "live": "state=live",
    "closed": "state=closed",
    "work": "state=live&sort=work",
    "category": "category=access",
    "rare queue": "queue=nobody-s",
    "rare priority": "priority=P1",
    "requester": "requester=person-7@d7.customer.test",
    "closed, by opening": "state=closed&sort=opened",
}


class Local(http.client.HTTPConnection):
    """HTTP on the socket in the state folder."""

    def __init__(self, path):
        super().__init__("localhost")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def pages(connection, query):
    """Seconds for each of the first pages of 50 of a list, the warming one left out."""
    took, after = [], None
    for number in range(PAGES + 1):
        words = "limit=50" + (f"&{query}" if query else "") + (f"&after={urllib.parse.quote(after)}" if after else "")
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/tickets?{words}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET /api/v1/tickets?{words}: {answer.status} {body[:300]}")
        if number:
            took.append(time.perf_counter() - began)
        after = json.loads(body).get("next")
    return took


def list_latencies(desk):
    """By kind of list: the median seconds a page takes."""
    connection = Local(next(desk.state.glob("*.sock")))
    found = {name: statistics.median(pages(connection, query)) for name, query in QUERIES.items()}
    connection.close()
    return found


def command_latency(desk):
    """Seconds `ticket list` takes, from its start to its end."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        command = [desk.program, "--config", desk.config, "--state", desk.state, "ticket", "list"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        took.append(time.perf_counter() - began)
    return statistics.median(took)
