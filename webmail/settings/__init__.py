"""Django's settings for Signet: wiring, nothing else. Values come from `config`."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from webmail.settings import config

BASE_DIR = config.PROJECT_ROOT
DATA_DIR = config.directory("SIGNET_DATA_DIR", BASE_DIR / "var")
RUN_DIR = DATA_DIR / "run"
BLOB_DIR = DATA_DIR / "blobs"

PUBLIC_URL = config.public_url()
_public = urlsplit(PUBLIC_URL)
IS_HTTPS = _public.scheme == "https"

DEBUG = False
SECRET_KEY = config.text_or_file("SIGNET_SECRET_KEY") or config.secret_file(DATA_DIR / "secret-key")
ALLOWED_HOSTS = config.words("SIGNET_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if _public.hostname and _public.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(_public.hostname)
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL else []
# Addresses (networks) of proxies whose X-Forwarded-For and -Proto are believed.
TRUSTED_PROXIES = config.words("SIGNET_TRUSTED_PROXIES")

# The newest key seals, all open: the text itself, or a path (accounts.sealing).
KEYRING = config.text("SIGNET_KEYRING")
KEYRING_FILE = Path(config.text("SIGNET_KEYRING_FILE", str(DATA_DIR / "keyring")))

REDIS_URL = config.redis_url(RUN_DIR)

INSTALLED_APPS = [
    "accounts",
    "smime",
    "webmail.mailbox",
    "webmail.reader",
    "webmail.composer",
    "webmail.pages",
    "webmail.live",
    "webmail.demo",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "accounts.apps.SignetAdminConfig",
]

MIDDLEWARE = [
    "webmail.pages.security_headers.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.session_limits.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.late_replies.LateReplyMiddleware",
]

ROOT_URLCONF = "webmail.urls"
WSGI_APPLICATION = None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "webmail.pages.context.application",
            ],
        },
    }
]

SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
        "PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
    ),
}
_database_url = config.text("SIGNET_DATABASE_URL", f"sqlite:///{DATA_DIR / 'signet.sqlite3'}")
try:
    _database = dj_database_url.parse(_database_url, conn_max_age=600, conn_health_checks=True)
except (ValueError, dj_database_url.ParseError, dj_database_url.UnknownSchemeError) as _error:
    raise ImproperlyConfigured(
        "SIGNET_DATABASE_URL must begin sqlite:/// or postgresql://."
    ) from _error
if _password := config.text_or_file("SIGNET_DATABASE_PASSWORD"):
    _database["PASSWORD"] = _password
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["OPTIONS"] = SQLITE_OPTIONS
    _database["CONN_MAX_AGE"] = None
elif _database["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("SIGNET_DATABASE_URL must begin sqlite:/// or postgresql://.")
DATABASES = {"default": _database}

# Signet keeps nothing in Django's cache: sealed values go through accounts.sealed_cache.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_NAME = "__Host-signet" if IS_HTTPS else "signet"
SESSION_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds; the absolute limit (accounts.session_limits)
SESSION_IDLE_LIMIT = config.number(
    "SIGNET_SESSION_IDLE_MINUTES", 12 * 60, low=5, high=14 * 24 * 60
)  # minutes
CSRF_COOKIE_NAME = "__Host-signet-csrf" if IS_HTTPS else "signet-csrf"
CSRF_COOKIE_SECURE = IS_HTTPS
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "webmail.pages.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
# Made by `collectstatic` while installing: part of the code, not of the data directory.
STATIC_ROOT = BASE_DIR / "staticfiles"
# What the front-end build made, not its sources.
STATICFILES_DIRS = [
    ("build", BASE_DIR / "static" / "build"),
    ("icons", BASE_DIR / "static" / "icons"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage",
        # Readable by whoever serves: the image collects as root and runs as another user.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
WHITENOISE_MAX_AGE = 31536000
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of form fields, files apart
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_PERMISSIONS = 0o600

# Limits of the product, in bytes.
MESSAGE_LIMIT = config.number("SIGNET_MESSAGE_LIMIT_MB", 50, low=1, high=200) * 1024 * 1024
BODY_CACHE_LIMIT = config.number("SIGNET_BODY_CACHE_MB", 200, low=10, high=100_000) * 1024 * 1024
# Whether mail servers and image hosts may be on private networks (one machine, test rigs).
ALLOW_PRIVATE_MAIL_SERVERS = config.flag("SIGNET_ALLOW_PRIVATE_MAIL_SERVERS", default=True)
UNDO_SEND_SECONDS = config.number("SIGNET_UNDO_SEND_SECONDS", 10, low=0, high=30)
UNDO_MOVE_SECONDS = config.number("SIGNET_UNDO_MOVE_SECONDS", 7, low=0, high=30)
DOUBLE_SANITISE = config.flag("SIGNET_DOUBLE_SANITISE", default=False)
# Whether lists and OCSP answers are fetched for certificates of trusted roots (outgoing HTTP).
FETCH_REVOCATION = config.flag("SIGNET_FETCH_REVOCATION", default=True)
# Whether a certificate whose withdrawal could not be checked is a warning (else it is only said).
DEMAND_REVOCATION = config.flag("SIGNET_DEMAND_REVOCATION", default=False)
# Whether people may trust authorities of their own, for mail of domains that they name.
PERSONAL_ANCHORS = config.flag("SIGNET_PERSONAL_ANCHORS", default=False)
# Which post-quantum keys mail is signed and encrypted with; reading knows them all.
POST_QUANTUM = config.choice("SIGNET_POST_QUANTUM", "off", ("off", "composite", "pure"))
METRICS_TOKEN = config.text("SIGNET_METRICS_TOKEN")

LOGGING_CONFIG = None
from webmail.settings import logs  # noqa: E402  (needs nothing of Django's, only the level)

logs.configure(level=config.text("SIGNET_LOG_LEVEL", "INFO"))
SILENCED_SYSTEM_CHECKS: list[str] = []
