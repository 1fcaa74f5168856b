from __future__ import annotations

import pytest

from core.runtime.plugin_host.addresses import Destination, destination_of, is_listed, is_public
from core.runtime.plugin_host.errors import HostNotAllowed


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("https://API.Example.com", Destination("https", "api.example.com", 443, "/")),
        ("https://api.example.com.:8443/a/b?c=d#e", Destination("https", "api.example.com", 8443, "/a/b?c=d")),
        ("https://淘宝.example/茶?名=x", Destination("https", "xn--pbt173b.example", 443, "/%E8%8C%B6?%E5%90%8D=x")),
        ("http://[::1]:80/", Destination("http", "::1", 80, "/")),
        ("https://10.0.0.1/", Destination("https", "10.0.0.1", 443, "/")),
    ],
)
def test_destination_is_spelled_in_one_way_when_the_url_is_sound(url, destination):
    assert destination_of(url) == destination


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://api.example.com/", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("//api.example.com/", "scheme"),
        ("https:///path", "scheme"),
        ("", "scheme"),
        ("https://api.example.com@evil.example/", "user"),
        ("https://a:b@api.example.com/", "user"),
        ("https://api.example.com\\@evil.example/", "characters"),
        ("https://api.example.com/\r\nHost: evil", "characters"),
        ("https://api example.com/", "characters"),
        ("https://api.example.com:99999/", "unreadable"),
        ("https://[fe80::zz]/", "unreadable"),
        ("https://2130706433/", "odd_address"),
        ("https://0x7f000001/", "odd_address"),
        ("https://0177.0.0.1/", "odd_address"),
        ("https://127.1/", "odd_address"),
        ("https://" + "a" * 9000, "characters"),
    ],
)
def test_destination_is_refused_when_the_url_is_not_sound(url, reason):
    with pytest.raises(HostNotAllowed) as caught:
        destination_of(url)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("pattern", "url", "listed"),
    [
        ("api.example.com", "https://api.example.com/", True),
        ("api.example.com", "https://api.example.com:8443/", True),
        ("api.example.com", "https://api.example.com:22/", False),
        ("api.example.com", "https://xapi.example.com/", False),
        ("api.example.com", "https://api.example.com.evil.example/", False),
        ("*.example.com", "https://api.example.com/", True),
        ("*.example.com", "https://a.b.example.com/", True),
        ("*.example.com", "https://example.com/", False),
        ("*.example.com", "https://evilexample.com/", False),
        ("127.0.0.1:9701", "http://127.0.0.1:9701/", True),
        ("127.0.0.1:9701", "http://127.0.0.1:9702/", False),
        ("127.0.0.1:*", "http://127.0.0.1:9702/", True),
        ("[::1]:*", "http://[::1]:9702/", True),
    ],
)
def test_host_is_listed_when_a_pattern_covers_it(pattern, url, listed):
    assert is_listed([pattern], destination_of(url)) is listed


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_address_is_public_when_it_is_of_the_open_internet(address):
    assert is_public(address)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "198.18.0.1", "192.0.2.1", "240.0.0.1", "ff02::1", "not an address", ""])
def test_address_is_not_public_when_reserved_or_unreadable(address):
    assert not is_public(address)
