"""Which addresses a plugin may reach: pure rules on URLs, host names and IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from core.runtime.plugin_host.errors import HostNotAllowed

DEFAULT_PORTS = {"https": 443, "http": 80}
OPEN_PORTS = frozenset({443, 8443})
MAX_URL = 8_192
_URL_SIGNS = "%/:?#[]@!$&'()*+,;=-._~"
_BAD = re.compile(r"[\x00-\x20\x7f\\]")
# Spellings of IPv4 addresses that some resolvers take: decimal, octal, hexadecimal, or with parts left out.
_ODD_IPV4 = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}")
# Translation prefixes hide an IPv4 address in an IPv6 one: NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380), compatible (RFC 4291).
_HIDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")))


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes. `host` is lower-case ASCII without brackets; `path` holds the query, too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if DEFAULT_PORTS[self.scheme] == self.port else f"{name}:{self.port}"


def destination_of(url: str) -> Destination:
    """Take a URL apart. Raises HostNotAllowed - not http(s), user names, odd characters or an odd spelling of an address in it."""
    if len(url) > MAX_URL or _BAD.search(url):
        raise HostNotAllowed("The address has characters that do not belong there, or is too long.", reason="characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise HostNotAllowed("The address cannot be read.", reason="unreadable") from None
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise HostNotAllowed("The address must start with https:// and name a host.", reason="scheme")
    if "@" in parts.netloc:
        raise HostNotAllowed("The address must not hold a user name.", reason="user")
    path = quote(parts.path or "/", safe=_URL_SIGNS)
    query = quote(parts.query, safe=_URL_SIGNS)
    return Destination(
        parts.scheme, _ascii(host), DEFAULT_PORTS[parts.scheme] if port is None else port, f"{path}?{query}" if query else path
    )


def _ascii(host: str) -> str:
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host.split("%", 1)[0]))
        except ValueError:
            raise HostNotAllowed("The address cannot be read.", reason="unreadable") from None
    try:
        name = host.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise HostNotAllowed("The host name cannot be read.", reason="unreadable") from None
    if _ODD_IPV4.fullmatch(name):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise HostNotAllowed("The address is spelled in an unusual way.", reason="odd_address", host=host) from None
    return name


def matches(pattern: str, host: str, port: int) -> bool:
    """Whether a listed host covers this one. `*.x.com` covers names below x.com, not x.com; a listed port must be equal, `*` is any."""
    name, _, wanted = pattern.rpartition(":") if ":" in pattern and not pattern.endswith("]") else (pattern, "", "")
    name = name.strip("[]").lower()
    if wanted == "":
        if port not in OPEN_PORTS:
            return False
    elif wanted not in ("*", str(port)):
        return False
    return host.endswith(name[1:]) and host != name[2:] if name.startswith("*.") else host == name


def is_listed(patterns: Iterable[str], destination: Destination) -> bool:
    """Whether one of the listed hosts covers the destination."""
    return any(matches(pattern, destination.host, destination.port) for pattern in patterns)


def is_address(host: str) -> bool:
    """Whether a destination's host is an IP address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet: not private, loopback, link-local, shared, metadata, multicast or reserved."""
    try:
        found = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return is_public(str(found.ipv4_mapped))
        if any(found in network for network in _HIDING):
            return False
    return found.is_global and not found.is_multicast
