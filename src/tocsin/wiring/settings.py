"""Django's settings, all from the environment. Only this package knows every part of the house."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from tocsin.wiring import chat_settings


def _file_or_env(name: str, default: str = "") -> str:
    """`NAME`, or the content of the file that `NAME_FILE` points to."""
    path = os.environ.get(f"{name}_FILE", "")
    return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name, default)


DATA = Path(os.environ.get("TOCSIN_DATA", "var/data")).absolute()
PATIENCE = float(os.environ.get("TOCSIN_PATIENCE", "1") or 1)


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "tocsin.platform.sqlite",
        "NAME": str(DATA / "tocsin.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10 * PATIENCE,
            # FULL: what was answered survives a power cut. NORMAL would lose it (ADR 0002).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY; "
            "PRAGMA cache_size=-32000; PRAGMA foreign_keys=ON;",
        },
        # Tests run on a file as well: an in-memory database has no WAL and no second connection.
        "TEST": {"NAME": str(DATA / "test.sqlite3")},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must begin with postgresql:// (or be absent for the embedded database)"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parse_qs(parts.query).get("host", [unquote(parts.hostname or "")])[
            0
        ],  # a socket's folder, as libpq has it
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            # A black-holed connection must be noticed within seconds; the defaults hang for half a minute and more.
            "connect_timeout": max(3, int(3 * PATIENCE)),
            "keepalives": 1,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": int(3000 * PATIENCE),
            "target_session_attrs": "read-write",
            "options": f"-c statement_timeout={int(15000 * PATIENCE)} -c lock_timeout={int(5000 * PATIENCE)} "
            f"-c idle_in_transaction_session_timeout={int(15000 * PATIENCE)}",
        },
    }


def _secret_key() -> str:
    given = _file_or_env("TOCSIN_SECRET_KEY")
    if given:
        return given
    kept = DATA / "secret-key"
    if kept.exists():
        return kept.read_text(encoding="utf-8").strip()
    return "unsafe-until-the-data-folder-exists"


DATABASE_URL = _file_or_env("DATABASE_URL")
DATABASES = {"default": _postgresql(DATABASE_URL) if DATABASE_URL else _sqlite()}
SECRET_KEY = _secret_key()
DEBUG = False
DEMO = os.environ.get("TOCSIN_DEMO", "") == "1"
PUBLIC_URL = os.environ.get("TOCSIN_PUBLIC_URL", "").rstrip("/")
SMTP_URL = _file_or_env("TOCSIN_SMTP_URL")
CHAT = chat_settings.chat(_file_or_env)
CHAT_ADAPTER = chat_settings.chosen(_file_or_env, CHAT)
BRIDGE_URL = os.environ.get("TOCSIN_BRIDGE_URL", "").strip()
EMBED_BY_KEY = os.environ.get("TOCSIN_EMBED_BY_KEY", "") == "1"
MAIL_FROM = os.environ.get("TOCSIN_MAIL_FROM", "Tocsin <tocsin@localhost>")
VERSION_COMMIT = os.environ.get("TOCSIN_COMMIT", "")
ALLOWED_HOSTS = [host for host in os.environ.get("TOCSIN_ALLOWED_HOSTS", "*").split(",") if host]
ALLOW_PRIVATE_TARGETS = os.environ.get("TOCSIN_ALLOW_PRIVATE_TARGETS", "1") == "1"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "tocsin.web",  # before allauth: its templates dress the sign-in pages
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "tocsin.platform",
    "tocsin.audit",
    "tocsin.people",
    "tocsin.catalog",
    "tocsin.process",
    "tocsin.slo",
    "tocsin.oncall",
    "tocsin.adoption",
    "tocsin.alerts",
    "tocsin.incidents",
    "tocsin.comms",
    "tocsin.postmortems",
]

MIDDLEWARE = [
    "tocsin.web.middleware.SecurityHeaders",
    "django.middleware.gzip.GZipMiddleware",  # one bar on a phone: the incident page within 50 KB, files included
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "tocsin.web.middleware.RequestContext",
    "tocsin.web.errors.Refusals",
]

if DEMO:
    INSTALLED_APPS.append("tocsin.demo")
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.contrib.messages.middleware.MessageMiddleware"), "tocsin.demo.visitor.Visitor"
    )

ROOT_URLCONF = "tocsin.wiring.urls"
WSGI_APPLICATION = "tocsin.wiring.wsgi.application"
AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "tocsin.web.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tocsin.web.context.page",
            ],
        },
    },
]

CACHES = {
    "default": {
        # Shared by all nodes, so that rate limits and device codes hold across them.
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "tocsin_cache",
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = int(timedelta(hours=1).total_seconds())

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "tocsin.web.errors.csrf_failed"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

NINJA_NUM_PROXIES = 0

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("TOCSIN_LOG_LEVEL", "WARNING")},
    # A question for something that is not there is an answer, not an event; faults are still logged.
    "loggers": {"django.request": {"level": "ERROR"}},
}
