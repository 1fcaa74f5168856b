"""Error messages in words: marshmallow's own wording never reaches people, and figures keep their place."""

from __future__ import annotations

import re

import marshmallow
import pytest
from flask import Flask
from flask_babel import Babel
from marshmallow import fields, validate

from core.delivery.web.messages import SENTENCES, in_words


@pytest.fixture(autouse=True)
def request_context():
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Missing data for required field.", "This is needed."),
        ("Must be greater than or equal to 3 and less than or equal to 1000.", "From 3 to 1000."),
        ("Must be one of: x, y.", "Choose one of: x, y."),
        ("1: Must be one of: x, y.", "2: Choose one of: x, y."),
        ("Longer than maximum length 64.", "At most 64 characters."),
        ("An amount in CNY has at most 2 decimals.", "An amount in CNY has at most 2 decimals."),
        ("At most 100% of it.", "At most 100% of it."),
        ("This is of our own making.", "This is of our own making."),
    ],
)
def test_message_is_said_in_our_words(message, said):
    assert in_words(message) == said


def test_every_message_of_the_fields_that_forms_can_show_is_known():
    kinds = (fields.Url, fields.Email, fields.String, fields.Integer, fields.Decimal, fields.Float, fields.Boolean, fields.DateTime)
    kinds += (fields.Date, fields.Time, fields.UUID, fields.Dict)
    known = {re.sub(r"\{\w+\}", "{}", sentence) for sentence, _said in SENTENCES}
    unknown = {
        text
        for kind in kinds
        for key, text in kind().error_messages.items()
        if key not in ("format", "invalid_awareness") and re.sub(r"\{\w+\}", "{}", text.replace("{obj_type}", kind.__name__.lower())) not in known
    }

    assert unknown == set()


@pytest.mark.parametrize(
    ("validator", "value"),
    [
        (validate.Length(1, 3), "four"), (validate.Length(max=3), "four"), (validate.Length(min=9), "four"), (validate.Length(equal=2), "four"),
        (validate.Range(1, 3), 4), (validate.Range(max=3), 4), (validate.Range(min=9), 4), (validate.OneOf(["a"]), "b"),
        (validate.Regexp("x"), "y"), (validate.Equal(1), 2), (validate.ContainsOnly([1]), [2]), (validate.NoneOf([1]), 1),
        (validate.Range(min=9, min_inclusive=False), 4), (validate.Range(max=3, max_inclusive=False), 4),
    ],
)  # fmt: skip
def test_every_message_of_the_usual_checks_is_known(validator, value):
    with pytest.raises(marshmallow.ValidationError) as caught:
        validator(value)

    forms = [re.escape(sentence).replace(r"\{", "{").replace(r"\}", "}") for sentence, _said in SENTENCES]
    assert any(re.fullmatch(re.sub(r"\{\w+\}", ".+", form), caught.value.messages[0]) for form in forms)
