"""A Dovecot of our own: IMAP, IMAPS, LMTP, and the SASL service that Postfix asks."""

import shutil

from parts import tokens
from parts.places import ALIAS, PASSWORD, RigError
from parts.process import end, find, read_pid, run, wait_for_port

# Against a default Dovecot: no delay after a wrong password (it makes one wrong test slow down all the others), no limit
# of connections, and a chosen fsync. IMAP, LMTP and token checking are the server's own.
CONFIG = """\
base_dir = {root}/run
instance_name = rig{imap}
protocols = imap lmtp
listen = 127.0.0.1
log_path = {log}
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
mail_home = {mail}/%Ln
mail_location = maildir:~/Maildir
mail_fsync = {fsync}
recipient_delimiter = +
ssl = yes
ssl_cert = <{certificates}/server.pem
ssl_key = <{certificates}/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2 oauthbearer
auth_username_format = %Ln
auth_failure_delay = 0
mail_max_userip_connections = 0
imap_idle_notify_interval = {idle_notify}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {root}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = username_format=%Ln {root}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%Ln {root}/users
  default_fields = uid=mail gid=mail
}}
namespace inbox {{
  inbox = yes
  mailbox Processed {{
    auto = create
  }}
  mailbox Failed {{
    auto = create
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  service_count = 0
  process_min_avail = 1
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 2048
  process_min_avail = 1
}}
service lmtp {{
  process_min_avail = 1
  unix_listener lmtp {{
    mode = 0666
  }}
}}
service auth {{
  unix_listener auth-postfix {{
    mode = 0666
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol lmtp {{
  postmaster_address = postmaster@helpdesk.test
  hostname = localhost
}}
"""

TOKENS = """\
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={root}/keys/
username_attribute = sub
"""


class Dovecot:
    """The IMAP side of the rig in `folder`."""

    name = "dovecot"

    def __init__(self, folder):
        self.folder = folder
        self.root = folder / "dovecot"
        self.mail = folder / "mail"
        self.config = self.root / "dovecot.conf"

    def write(self, ports, users, fsync, idle_notify):
        """Write configuration, accounts and the token key."""
        (self.root / "run").mkdir(parents=True, exist_ok=True)
        self.mail.mkdir(exist_ok=True)
        shutil.chown(self.mail, "mail", "mail")
        (self.folder / "log").mkdir(exist_ok=True)
        # Two names, one mailbox: a mail to both arrives twice, each copy saying in Delivered-To which name it was for.
        homes = {user: self.home(user) for user in users} | {ALIAS: self.home("support")}
        (self.root / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}::::{home}::\n" for user, home in homes.items()))
        (self.root / "oauth2.conf").write_text(TOKENS.format(root=self.root))
        tokens.write_key(self.root / "keys")
        self.config.write_text(
            CONFIG.format(
                root=self.root,
                mail=self.mail,
                log=self.folder / "log" / "dovecot.log",
                certificates=self.folder / "certificates",
                imap=ports["imap"],
                imaps=ports["imaps"],
                fsync=fsync,
                idle_notify=idle_notify,
            )
        )

    def home(self, user):
        return self.mail / user

    def start(self, ports):
        run(find("dovecot"), "-c", self.config)
        for service in ("imap", "imaps"):
            wait_for_port(service, ports[service])

    def stop(self):
        pid = read_pid(self.root / "run" / "master.pid")
        if pid is not None:
            end(pid, "dovecot")

    def admin(self, *command):
        return run(find("doveadm"), "-c", self.config, *command)

    def kick(self, user):
        """Cut every session of `user`; it is no error that there is none."""
        try:
            self.admin("kick", user)
        except RigError as error:
            # 68 is EX_NOHOST: nobody of that name is logged in.
            if "exit 68" not in str(error):
                raise

    def uidvalidity(self, user):
        """The number that says whether the numbers of the INBOX's mails still mean what they meant."""
        # The answer is `INBOX uidvalidity=1700000000`.
        return int(self.admin("mailbox", "status", "-u", user, "uidvalidity", "INBOX").rpartition("=")[2])

    def renumber(self, user):
        """Give the INBOX a new UIDVALIDITY and its mails new numbers, as after a server was rebuilt; returns the new value."""
        before = self.uidvalidity(user)
        self.kick(user)
        maildir = self.home(user) / "Maildir"
        for pattern in ("dovecot-uidlist", "dovecot.index*"):
            for file in maildir.glob(pattern):
                file.unlink()
        # Dovecot takes the clock's second for a new value, which may be the old one again.
        after = self.uidvalidity(user)
        if after <= before:
            self.admin("mailbox", "update", "--uid-validity", str(before + 1), "-u", user, "INBOX")
            after = self.uidvalidity(user)
        if after == before:
            raise RigError(f"{user}: UIDVALIDITY is still {before}")
        return after
