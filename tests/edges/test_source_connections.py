"""How sources are reached: tokens, passwords, certificates, tenants, and secrets that are named and never shown."""

from __future__ import annotations

import base64
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.domains import worlds
from tests.edges.certificates import Authority
from tests.edges.real_prometheus import prometheus
from tests.edges.web_client import read, signed_in
from tocsin.audit.models import Entry
from tocsin.config import apply
from tocsin.core.access import SYSTEM
from tocsin.core.errors import Invalid
from tocsin.slo import actions, connecting
from tocsin.slo.models import DataSource
from tocsin.slo.prometheus import Ask, Moments, Server, SourceFailed, fetch

ASK = [Ask(1, "total", "sum(up)")]
MOMENTS = Moments(1_800_000_000, 1_800_000_060, 60)
EMPTY = '{"status":"success","data":{"resultType":"matrix","result":[]}}'
S3CRET = "$2b$04$3hRkS6ZPUc3lKfeKf.fOj.o7f3FfPNYs.TmIIlfqNbk7rZUJ.dX46"  # bcrypt of s3cret, made for these tests


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv("TOCSIN_SECRETS", str(folder))
    return folder


@pytest.fixture
def asked(httpserver: HTTPServer) -> list[Request]:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        return Response(EMPTY, content_type="application/json")

    httpserver.expect_request("/api/v1/query_range").respond_with_handler(answer)
    return seen


def ask(url: str, **connection: str) -> None:
    fetch(Server(url, {}, connection), ASK, MOMENTS)


def test_a_token_comes_from_the_environment_or_from_a_file(
    asked: list[Request], httpserver: HTTPServer, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_SOURCE_TOKEN", "from-the-environment")
    (secrets / "token").write_text("from-a-file\n")
    ask(httpserver.url_for("/"), token="${env:TOCSIN_SOURCE_TOKEN}")
    ask(httpserver.url_for("/"), token="file:token")
    assert [one.headers["Authorization"] for one in asked] == ["Bearer from-the-environment", "Bearer from-a-file"]


def test_a_name_and_a_password_are_sent_as_basic_authentication_and_a_tenant_as_its_header(
    asked: list[Request], httpserver: HTTPServer, secrets: Path
) -> None:
    (secrets / "password").write_text("pä:ss")
    ask(httpserver.url_for("/"), username="tocsin", password="file:password", tenant="team-a|team-b")
    sent = asked[0].headers
    assert base64.b64decode(sent["Authorization"].removeprefix("Basic ")).decode() == "tocsin:pä:ss"
    assert sent["X-Scope-OrgID"] == "team-a|team-b"


@pytest.mark.parametrize(
    ("connection", "word"),
    [
        ({"token": "${env:TOCSIN_SOURCE_NOT_SET}"}, "TOCSIN_SOURCE_NOT_SET is not set"),
        ({"token": "file:nowhere"}, "the secret nowhere cannot be read"),
        ({"token": "file:two-lines"}, "not one line"),
        ({"token": "file:empty"}, "not one line"),
        ({"ca_file": "file:nowhere"}, "certificates cannot be read (nowhere)"),
        ({"ca_file": "file:two-lines"}, "certificates cannot be read (two-lines)"),
    ],
)
def test_a_secret_that_is_not_there_is_named_without_being_told(
    asked: list[Request], httpserver: HTTPServer, secrets: Path, connection: dict[str, str], word: str
) -> None:
    (secrets / "two-lines").write_text("hunter2\nhunter3")
    (secrets / "empty").write_text("\n")
    with pytest.raises(SourceFailed) as failed:
        ask(httpserver.url_for("/"), **connection)
    assert word in str(failed.value)
    assert "hunter" not in str(failed.value)
    assert asked == []


@pytest.mark.parametrize(
    ("connection", "field"),
    [
        ({"token": "plain-secret"}, "token"),
        ({"token": "${env:HOME}"}, "token"),
        ({"token": "Bearer ${env:TOCSIN_SOURCE_A}"}, "token"),
        ({"token": "file:/etc/passwd"}, "token"),
        ({"token": "file:../passwd"}, "token"),
        ({"username": "a", "password": "plain"}, "password"),
        ({"username": "a"}, "username"),
        ({"username": "a:b", "password": "file:p"}, "username"),
        ({"username": "a", "password": "file:p", "token": "file:t"}, "token"),
        ({"certificate_file": "file:c"}, "certificate_file"),
        ({"ca_file": "/etc/ssl/ca.pem"}, "ca_file"),
        ({"tenant": "a b"}, "tenant"),
        ({"timeout": "2m"}, "timeout"),
        ({"timeout": "31s"}, "timeout"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_wrong_settings_are_refused_by_field(connection: dict[str, str], field: str) -> None:
    assert field in connecting.problems(connection, {}, url="https://prometheus.example")


def test_a_file_of_certificates_needs_an_https_address() -> None:
    assert "ca_file" in connecting.problems({"ca_file": "file:ca"}, {}, url="http://prometheus.example")
    assert connecting.problems({"ca_file": "file:ca"}, {}, url="https://prometheus.example") == {}


@pytest.mark.django_db
def test_a_secret_written_out_in_a_header_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        actions.save_source(
            SYSTEM, name="p", url="http://127.0.0.1:9090", headers={"authorization": "Bearer abc"}, now=worlds.NOW
        )
    assert "abc" not in str(refused.value.fields)
    assert not DataSource.objects.exists()


FILE = """
apiVersion: openslo/v1
kind: DataSource
metadata: {name: mimir}
spec:
  type: prometheus
  connectionDetails:
    url: https://mimir.example/prometheus
    username: tocsin
    password: ${env:TOCSIN_SOURCE_MIMIR}
    caFile: file:ca.pem
    certFile: file:client.pem
    keyFile: file:client.key
    tenant: shop
    timeout: 20s
    every: 30s
"""


@pytest.mark.django_db
def test_an_openslo_data_source_says_how_it_is_reached_and_no_secret_is_written_or_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOCSIN_SOURCE_MIMIR", "s3cret-value")
    worlds.process()
    plan = apply.apply_texts(SYSTEM, {"mimir.yaml": FILE}, dry_run=False, now=worlds.NOW)
    assert plan.errors == []
    source = DataSource.objects.get()
    assert source.connection == {
        "username": "tocsin",
        "password": "${env:TOCSIN_SOURCE_MIMIR}",
        "ca_file": "file:ca.pem",
        "certificate_file": "file:client.pem",
        "key_file": "file:client.key",
        "tenant": "shop",
        "timeout": "20s",
    }
    assert connecting.deadline(source.connection) == timedelta(seconds=20)
    again = apply.apply_texts(SYSTEM, {"mimir.yaml": FILE}, dry_run=True, now=worlds.NOW)
    assert not [one for one in again.as_document().get("changes", []) if one.get("action") not in (None, "same")]
    worlds.person("ada", in_team="identity", is_owner=True)
    page = read(signed_in("ada"), "/setup/sources")
    assert "as tocsin, with a client" in page
    assert "tenant shop" in page
    for text in (page, *(str(entry.data) for entry in Entry.objects.all())):
        assert "s3cret-value" not in text
        assert "TOCSIN_SOURCE_MIMIR" not in text


@pytest.mark.django_db
def test_a_plain_password_in_a_file_is_refused_with_its_place() -> None:
    worlds.process()
    text = FILE.replace("${env:TOCSIN_SOURCE_MIMIR}", "hunter2")
    plan = apply.apply_texts(SYSTEM, {"mimir.yaml": text}, dry_run=False, now=worlds.NOW)
    assert "password" in str(plan.errors)
    assert "hunter2" not in str(plan.errors)
    assert not DataSource.objects.exists()


@pytest.mark.prometheus
@pytest.mark.xdist_group("prometheus")
def test_a_real_prometheus_behind_tls_a_password_and_client_certificates(
    tmp_path: Path, secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(secrets)
    authority.vouch("server")
    authority.vouch("client")
    web = tmp_path / "web.yml"
    web.write_text(
        f"tls_server_config: {{cert_file: {secrets}/server.pem, key_file: {secrets}/server.key, "
        f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {secrets}/ca.pem}}\n"
        f"basic_auth_users: {{tocsin: '{S3CRET}'}}\n"
    )
    monkeypatch.setenv("TOCSIN_SOURCE_PASSWORD", "s3cret")
    certificates = {"ca_file": "file:ca.pem", "certificate_file": "file:client.pem", "key_file": "file:client.key"}
    user = {"username": "tocsin", "password": "${env:TOCSIN_SOURCE_PASSWORD}"}

    def answers(url: str) -> bool:
        try:
            ask(url, **certificates, **user)
        except SourceFailed:
            return False
        return True

    with prometheus(tmp_path / "data", web=web, answers=answers) as url:
        _refused(url, "does not know us", certificates)
        _refused(url, "certificate", user)
        _refused(url, "", {"ca_file": "file:ca.pem", **user})
        monkeypatch.setenv("TOCSIN_SOURCE_PASSWORD", "wrong")
        _refused(url, "does not know us", {**certificates, **user})


def _refused(url: str, word: str, connection: dict[str, Any]) -> None:
    with pytest.raises(SourceFailed) as failed:
        ask(url, **connection)
    assert word.lower() in str(failed.value).lower()
    assert "s3cret" not in str(failed.value)
