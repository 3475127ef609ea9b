"""A Postfix of our own: port 25, submission with STARTTLS and smtps in miniature, delivering to Dovecot by LMTP."""

import shutil

from parts.places import ALIAS, DESK, PUBLIC
from parts.process import end, find, read_pid, run, wait_for_port

MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/queue
data_directory = {root}/state
maillog_file = {log}
maillog_file_prefixes = {folder}, /var, /dev/stdout
multi_instance_name = postfix-rig{smtp}
syslog_name = rig{smtp}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = mx.{desk}
myorigin = {desk}
# Nothing leaves this machine, and nothing asks a name server.
mydestination =
local_transport = error:there is no local mail here
default_transport = error:nothing leaves the rig
relay_transport = error:nothing leaves the rig
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
biff = no
recipient_delimiter = +
virtual_mailbox_domains = {desk}, {public}
virtual_mailbox_maps = texthash:{root}/mailboxes
virtual_alias_maps = regexp:{root}/people
virtual_transport = lmtp:unix:{folder}/dovecot/run/lmtp
# One recipient a delivery, as Dovecot advises: with more it writes no Delivered-To.
lmtp_destination_recipient_limit = 1
message_size_limit = 104857600
smtpd_tls_cert_file = {folder}/certificates/server.pem
smtpd_tls_key_file = {folder}/certificates/server.key
smtpd_tls_security_level = may
smtpd_sasl_type = dovecot
smtpd_sasl_path = {folder}/dovecot/run/auth-postfix
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_unlisted_recipient, check_recipient_access texthash:{root}/access
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
default_process_limit = 50
# What is deferred while Dovecot restarts comes a second later, not five minutes.
minimal_backoff_time = 1s
maximal_backoff_time = 10s
queue_run_delay = 1s
notify_classes =
"""

SUBMISSION = "-o smtpd_sasl_auth_enable=yes -o smtpd_client_restrictions=permit_sasl_authenticated,reject"
MASTER = """\
127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{submission} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt {sasl}
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {sasl}
cleanup  unix  n - n - 0 cleanup
qmgr     unix  n - n 300 1 qmgr
pickup   unix  n - n 60 1 pickup
tlsmgr   unix  - - n 1000? 1 tlsmgr
rewrite  unix  - - n - - trivial-rewrite
bounce   unix  - - n - 0 bounce
defer    unix  - - n - 0 bounce
trace    unix  - - n - 0 bounce
verify   unix  - - n - 1 verify
flush    unix  n - n 1000? 0 flush
proxymap unix  - - n - - proxymap
smtp     unix  - - n - - smtp
showq    unix  n - n - - showq
error    unix  - - n - - error
retry    unix  - - n - - error
discard  unix  - - n - - discard
lmtp     unix  - - n - - lmtp
anvil    unix  - - n - 1 anvil
scache   unix  - - n - 1 scache
postlog  unix-dgram n - n - 1 postlogd
"""

# `ghost` is a mailbox to Postfix and nobody to Dovecot: taken, then refused, and so bounced by a real server.
# `busy` is refused for now, always.
ONLY_POSTFIX = ["ghost", "busy"]


class Postfix:
    """The SMTP side of the rig in `folder`."""

    name = "postfix"

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "postfix"

    def write(self, ports, users):
        """Write configuration and the maps of who exists."""
        names = {"folder": self.folder, "root": self.root, "log": self.folder / "log" / "postfix.log", "desk": DESK, "public": PUBLIC}
        for part in ("queue", "state"):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        shutil.chown(self.root / "state", "postfix")
        everybody = [*users, ALIAS, *ONLY_POSTFIX]
        maps = {
            "mailboxes": "".join(f"{user}@{domain} {user}\n" for domain in (DESK, PUBLIC) for user in everybody),
            # Thousands of people without thousands of accounts: what is written to any of them lies with `everyone`.
            "people": f"/^person-[0-9]+@customer\\.test$/ everyone@{PUBLIC}\n",
            "access": f"busy@{PUBLIC} 451 4.3.0 Come back later\n",
            "main.cf": MAIN.format(**names, **ports),
            "master.cf": MASTER.format(sasl=SUBMISSION, **ports),
        }
        for name, text in maps.items():
            (self.root / name).write_text(text)

    def start(self, ports):
        run(find("postfix"), "-c", self.root, "start")
        for service in ("smtp", "submission", "smtps"):
            wait_for_port(service, ports[service])

    def stop(self):
        pid = read_pid(self.root / "queue" / "pid" / "master.pid")
        if pid is not None:
            end(pid, "postfix")
