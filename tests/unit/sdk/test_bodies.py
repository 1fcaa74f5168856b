"""Reading a request's body without trusting what its head says about it."""

from email.message import Message
from io import BytesIO

import pytest

from core.sdk.bodies import BodyRefused, body_of


def head(**fields):
    found = Message()
    for name, value in fields.items():
        found[name.replace("_", "-")] = value
    return found


def test_body_is_read_when_it_has_a_length_or_comes_in_chunks():
    plain = body_of(head(Content_Length="3"), BytesIO(b"abcd"), longest=3)
    chunked = body_of(head(Transfer_Encoding="chunked"), BytesIO(b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), longest=3)

    assert (plain, chunked, body_of(head(), BytesIO(b"x"), longest=3)) == (b"abc", b"abc", b"")


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"Content_Length": "4"}, b"abcd"),
        ({"Content_Length": "-1"}, b"a"),
        ({"Content_Length": "²"}, b"a"),
        ({"Transfer_Encoding": "chunked"}, b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"),
        ({"Transfer_Encoding": "chunked"}, b"-5\r\nabc"),
    ],
)
def test_body_is_refused_when_it_is_too_long_or_its_length_is_none(fields, sent):
    with pytest.raises(BodyRefused):
        body_of(head(**fields), BytesIO(sent), longest=3)
