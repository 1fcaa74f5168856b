"""Translation inside templates: the reader's language, escaped variables, plural forms."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, render_template_string
from flask_babel import Babel, force_locale

from core.delivery.web.theme import TRANSLATIONS
from core.delivery.web.theme.words import init_words


@pytest.fixture
def app() -> Iterator[Flask]:
    """An application whose reader is English."""
    app = Flask(__name__, static_folder=None)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    init_words(app)
    Babel(app, locale_selector=lambda: "en")
    with app.test_request_context("/"):
        app.preprocess_request()
        yield app


def test_words_escape_their_variables_when_these_hold_markup(app: Flask) -> None:
    said = render_template_string("{{ _('Join %(name)s', name='<b>') }}")

    assert said == "Join &lt;b&gt;"


def test_words_follow_the_language_when_it_is_forced_for_a_while(app: Flask) -> None:
    with force_locale("zh"):
        chinese = render_template_string("{{ _('Save') }}")

    assert (chinese, render_template_string("{{ _('Save') }}")) == ("保存", "Save")


def test_words_choose_the_plural_when_counting(app: Flask) -> None:
    text = "{{ ngettext('%(num)s attempt', '%(num)s attempts', 1) }}, {{ ngettext('%(num)s attempt', '%(num)s attempts', 3) }}"

    assert render_template_string(text) == "1 attempt, 3 attempts"


def test_words_reach_imported_macros_when_they_have_no_context(app: Flask) -> None:
    with force_locale("zh"):
        said = render_template_string("{% macro go() %}{{ _('Apply') }}{% endmacro %}{{ go() }}")

    assert said == "应用"
