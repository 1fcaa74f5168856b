"""Every setting of an installation, once: its name, type, default and meaning.

Values come from the first of these that has one: the variable `OMS_<NAME>` or the file that `OMS_<NAME>_FILE` names, then
`config/<environment>.toml`, then `config/default.toml`, then the default below. `config.reading` is the only reader.
What belongs to one tenant (its name, its plugins' accounts) is not here: that is data.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "OMS_"


def setting(default: Any, about: str, *, secret: bool = False, choices: tuple[str, ...] = (), least: int | None = None) -> Any:
    """Declare a setting. `secret` ones are never shown; a number below `least` is refused."""
    return field(default=default, repr=not secret, metadata={"about": about, "secret": secret, "choices": choices, "least": least})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process, read once and handed down; nothing else reads the environment."""

    environment: str = setting(
        "development",
        "What kind of installation this is. Production refuses to start with unsafe values.",
        choices=("development", "test", "production"),
    )
    site_name: str = setting("Orderloom", "The name shown in the title bar and in messages.")
    public_url: str = setting("", "The address people reach the site by, for links in messages; empty takes it from the request.")
    data_dir: Path = setting(  # noqa: RUF009 - it makes a field
        Path("var"), "Folder for the embedded servers, generated keys, logs and files; a relative one lies in the project."
    )

    database_url: str = setting(
        "", "PostgreSQL as the role oms_app (postgresql+psycopg://…). Empty starts the embedded server.", secret=True
    )
    database_owner_url: str = setting("", "The same database as the role oms_owner; only migrations use it.", secret=True)
    relay_url: str = setting("", "The same database as the role oms_relay; only the relay uses it.", secret=True)
    backup_url: str = setting("", "The same database as the role oms_backup; only backups use it.", secret=True)
    db_pool_size: int = setting(5, "Database connections each process keeps; it may open twice as many for a moment.", least=1)
    queue_url: str = setting("", "Valkey (redis://, rediss:// or unix://). Empty starts the embedded server.", secret=True)

    secret_key: str = setting(
        "", "Signs sessions and links; at least 32 characters. Empty makes one in the data folder, except in production.", secret=True
    )
    master_key: str = setting(
        "",
        "Wraps the keys that encrypt credentials and personal data, as id:key with 32 bytes in base64; several separated by commas, the"
        " current one first. What it wrapped cannot be read without it: keep a copy elsewhere. Empty makes one in the data folder, except"
        " in production.",
        secret=True,
    )

    host: str = setting("127.0.0.1", "The address to listen on.")
    port: int = setting(8080, "The port to listen on.", least=1)
    trusted_hosts: tuple[str, ...] = setting((), "Host names that requests may ask for; a leading dot takes all below. Empty takes any.")
    trusted_proxies: int = setting(0, "How many proxies in front of us set X-Forwarded-For; 0 ignores that header.", least=0)
    cookie_secure: bool = setting(default=False, about="Send cookies over HTTPS only.")
    max_body_mb: int = setting(32, "Largest request body taken, in MiB.", least=1)
    file_max_mb: int = setting(10, "Largest file that a record takes, in MiB.", least=1)
    files_total_mb: int = setting(5_000, "All files of the records of one business together, in MiB.", least=1)

    session_idle_s: int = setting(3600, "Seconds without a request after which a session ends.", least=60)
    session_lifetime_s: int = setting(12 * 3600, "Seconds after which a session ends in any case.", least=60)
    login_attempts: int = setting(5, "Failed log-ins of one account or address within the window before it has to wait.", least=1)
    login_window_s: int = setting(900, "The window for failed log-ins, in seconds.", least=1)

    web_processes: int = setting(1, "Web server processes.", least=1)
    web_threads: int = setting(4, "Threads of each web server process.", least=1)
    web_timeout_s: int = setting(60, "Seconds after which a web process that hangs is replaced.", least=5)
    web_max_requests: int = setting(10_000, "Requests after which a web process is replaced, against slow growth.", least=0)
    worker_processes: int = setting(1, "Working processes of one `oms worker`.", least=1)
    worker_deaths: int = setting(
        3,
        "Deaths of working processes after which the delivery that they worked on is given up, and after which the plugin it belongs to"
        " rests at its tenant for five minutes.",
        least=1,
    )

    egress_allow: tuple[str, ...] = setting(
        (),
        "Private addresses that plugins may call nevertheless, as host:port with * as wildcard, such as 127.0.0.1:*; public hosts are"
        " listed by each plugin.",
    )
    plugins_file: Path = setting(  # noqa: RUF009 - it makes a field
        Path("plugins.toml"), "The list of plugins to load; a relative path lies in the project."
    )
    plugins_blocked: tuple[str, ...] = setting((), "Plugins never to load, whatever the list says; * blocks all.")

    default_locale: str = setting("en", "Language of people who have chosen none.", choices=("en", "zh"))
    default_timezone: str = setting("Asia/Shanghai", "Time zone of tenants that have chosen none.")

    log_level: str = setting("info", "Least level that is logged.", choices=("debug", "info", "warning", "error"))
    log_format: str = setting("text", "Log lines for people (text) or for collectors (json).", choices=("text", "json"))
    access_log: bool = setting(default=False, about="Log each request.")

    @property
    def is_production(self) -> bool:
        """Whether unsafe values stop the start."""
        return self.environment == "production"

    @property
    def embeds_database(self) -> bool:
        """Whether PostgreSQL runs in the data folder, for lack of another."""
        return not self.database_url

    @property
    def embeds_queue(self) -> bool:
        """Whether Valkey runs in the data folder, for lack of another."""
        return not self.queue_url


def settings_fields() -> dict[str, Field[Any]]:
    """The settings by name, in the order of this page."""
    return {item.name: item for item in fields(Settings)}


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()
