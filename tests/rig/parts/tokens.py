"""Access tokens that the rig's Dovecot checks offline: JSON web tokens signed with a key both sides know."""

import base64
import hashlib
import hmac
import json
import time

KEY = b"a key that guards nothing but tests"


def access_token(user, lifetime=600):
    """A bearer token for `user`, good for `lifetime` seconds; a negative one is expired already."""
    now = int(time.time())
    head = _part(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = _part(json.dumps({"sub": user, "iat": now - 1, "exp": now + lifetime}).encode())
    seal = _part(hmac.new(KEY, head + b"." + claims, hashlib.sha256).digest())
    return b".".join([head, claims, seal]).decode()


def write_key(folder):
    """Lay the key where Dovecot's `fs:posix` dictionary looks: azp/algorithm/kid, each `default` when the token names none."""
    place = folder / "default" / "HS256"
    place.mkdir(parents=True, exist_ok=True)
    (place / "default").write_text(base64.b64encode(KEY).decode())


def _part(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
