"""A throw-away certificate authority and one server certificate, by the `openssl` command."""

from parts.process import find, run

EXTENSIONS = """\
subjectAltName=DNS:localhost,DNS:mail.helpdesk.test,IP:127.0.0.1
basicConstraints=CA:FALSE
extendedKeyUsage=serverAuth
"""
CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def make(folder):
    """Make `ca.pem`, `server.pem` and `server.key` in `folder`, once: a restarted rig keeps its authority."""
    if (folder / "server.pem").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    openssl = find("openssl")
    authority = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    run(openssl, "req", "-x509", *CURVE, "-days", "30", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=rig authority", *authority, cwd=folder)
    run(openssl, "req", *CURVE, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost", cwd=folder)
    (folder / "extensions").write_text(EXTENSIONS)
    signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30", "-extfile", "extensions"]
    run(openssl, "x509", "-req", "-in", "server.csr", "-out", "server.pem", *signing, cwd=folder)
    for key in folder.glob("*.key"):
        key.chmod(0o600)
