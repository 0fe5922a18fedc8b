"""A real Matrix homeserver on loopback: Synapse from PyPI in an environment of its own, with SQLite and made-up users.

Synapse is no dependency (its licence is another one, and it is large), so it is installed beside us, once, and only
where everything must be tested.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.edges.real_prometheus import free_port, wait_until
from tocsin.platform import http

SECRET = "only-for-tests"
NAME = "tocsin.test"
_INSTALL_SECONDS = 900


def python() -> Path:
    """The interpreter that has Synapse; installs it under TOCSIN_TEST_ALL=1, skips loudly without it otherwise."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "tocsin-tests" / "synapse"
    found, whole = folder / "bin" / "python", folder / "installed"
    if not whole.exists() and os.environ.get("TOCSIN_TEST_ALL") == "1":
        folder.parent.mkdir(parents=True, exist_ok=True)
        with (folder.parent / "synapse.lock").open("w") as one_at_a_time:
            fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
            if not whole.exists():
                _install(folder)
                whole.touch()
    if not whole.exists():
        message = f"NOT TESTED: no Synapse (a Matrix homeserver) in {folder}; TOCSIN_TEST_ALL=1 installs it"
        sys.stderr.write(message + "\n")
        pytest.skip(message)
    return found


def _install(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "matrix-synapse>=1.163,<2"], capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.fail(f"Synapse could not be installed: {done.stderr[-2000:]}")


@dataclass
class User:
    """Somebody on the homeserver, speaking its own API."""

    url: str
    ident: str
    token: str = field(repr=False)
    said: int = 0

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = http.request(
            method, f"{self.url}/_matrix/client/v3{path}", headers=headers, body=content, most_bytes=4_000_000
        )
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def membership(self, room: str, *, of: User) -> str:
        """How `of` stands to the room, as this member of it sees it: invite, join, leave."""
        return str(self.state(room, f"m.room.member/{quote(of.ident)}")["membership"])

    def join(self, room: str) -> None:
        self.ask("POST", f"/rooms/{quote(room)}/join", {})

    def say(self, room: str, text: str, **more: Any) -> str:
        self.said += 1
        body = {"msgtype": "m.text", "body": text, **more}
        path = f"/rooms/{quote(room)}/send/m.room.message/t{self.said}"
        return str(self.ask("PUT", path, body)["event_id"])

    def heard(self, room: str) -> list[str]:
        """What was said in the room, oldest first."""
        found = self.ask("GET", f"/rooms/{quote(room)}/messages?dir=b&limit=200")
        texts = [one["content"].get("body", "") for one in found["chunk"] if one["type"] == "m.room.message"]
        return list(reversed(texts))

    def state(self, room: str, kind: str) -> Any:
        return self.ask("GET", f"/rooms/{quote(room)}/state/{kind}")


@dataclass
class Homeserver:
    url: str
    users: dict[str, User] = field(default_factory=dict)

    def user(self, name: str) -> User:
        """The user of that name, registered by the shared secret at the first call."""
        if name not in self.users:
            path = f"{self.url}/_synapse/admin/v1/register"
            nonce = json.loads(http.request("GET", path).body)["nonce"]
            signed = f"{nonce}\0{name}\0a-password\0notadmin".encode()
            mac = hmac.new(SECRET.encode(), signed, hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": name, "password": "a-password", "admin": False, "mac": mac}
            answer = http.request(
                "POST", path, headers={"Content-Type": "application/json"}, body=json.dumps(body).encode()
            )
            made = json.loads(answer.body)
            self.users[name] = User(self.url, made["user_id"], made["access_token"])
        return self.users[name]


def _config(folder: Path, port: int) -> dict[str, Any]:
    fast = {"per_second": 10_000, "burst_count": 10_000}
    return {
        "server_name": NAME,
        "listeners": [
            {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "resources": [{"names": ["client"]}]}
        ],
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "registration_shared_secret": SECRET,
        "signing_key_path": str(folder / "signing.key"),
        "media_store_path": str(folder / "media"),
        "pid_file": str(folder / "pid"),
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "federation_domain_whitelist": [],
        "rc_message": fast,
        "rc_registration": fast,
        "rc_joins": {"local": fast, "remote": fast},
        "rc_invites": {"per_room": fast, "per_user": fast, "per_issuer": fast},
        "rc_room_creation": fast,
    }


@contextlib.contextmanager
def synapse(folder: Path) -> Iterator[Homeserver]:
    """Start a homeserver over `folder`; its log is kept there."""
    found, port = python(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "homeserver.yaml"
    file.write_text(json.dumps(_config(folder, port)))  # YAML reads JSON
    command = [str(found), "-m", "synapse.app.homeserver", "-c", str(file)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*command, "--generate-keys"], check=True, capture_output=True, cwd=folder, env=environment)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: process.poll() is not None or _is_ready(url), seconds=120)
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            yield Homeserver(url)
        finally:
            process.terminate()
            process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        return http.request("GET", f"{url}/_matrix/client/versions").status == 200
    except http.HttpFailed:
        return False
