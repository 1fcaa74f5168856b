"""Small answers while somebody types: whether a text fits a pattern, how a number will look, what a condition says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import render_template, request
from flask_appbuilder import BaseView, expose, has_access
from flask_appbuilder.security.decorators import permission_name
from flask_babel import gettext

from core.delivery.screens.customise_diff import sentence_of
from core.delivery.screens.customise_forms import MAX_CONDITION
from core.delivery.web.messages import in_words
from core.delivery.web.schema import whole_schema
from core.delivery.web.screens.base import services
from core.engines.metadata.columns import catalogue_of
from core.engines.metadata.custom import SERIES_PART
from core.kernel.conditions import ConditionInvalid, parse_condition
from core.kernel.errors import Invalid
from core.kernel.jsontext import decode_json
from core.kernel.text import check_pattern, fits

EXAMPLE = 42


class CustomiseHelpView(BaseView):
    """Fragments for the inputs of fields."""

    route_base = "/customise/say"
    default_view = "series"
    class_permission_name = "CustomiseHelpView"
    permission_keys: ClassVar[Mapping[str, str]] = {"series": "config.read"}

    @expose("/series", methods=["GET"])
    @has_access
    def series(self) -> Any:
        """A number as the pattern would give it."""
        return _fragment(*number_example(request.args.get("series", "")))

    @expose("/pattern", methods=["GET"])
    @has_access
    @permission_name("series")
    def pattern(self) -> Any:
        """Whether a text fits a pattern."""
        pattern, text = request.args.get("pattern", ""), request.args.get("try_text", "")[:200]
        if not pattern or not text:
            return _fragment("", "")
        try:
            check_pattern(pattern)
        except Invalid as error:
            return _fragment("bad", in_words(error.message))
        return _fragment("ok", gettext("This fits.")) if fits(pattern, text) else _fragment("bad", gettext("This does not fit."))

    @expose("/condition", methods=["GET"])
    @has_access
    @permission_name("series")
    def condition(self) -> Any:
        """A condition as a sentence, or what is wrong with it."""
        name = request.args.get("name", "")
        return _fragment(*condition_told(request.args.get(name, ""), request.args.get("entity", "")))


def _fragment(kind: str, text: str) -> Any:
    return render_template("pages/_customise_say.html", kind=kind, text=text)


def number_example(series: str) -> tuple[str, str]:
    """How the forty-second number of a pattern looks: (kind, text)."""
    if [name for name, _width in SERIES_PART.findall(series)].count("n") != 1:
        return "bad", gettext("The pattern of a number holds {n} once, such as SC-{yyyy}-{n:4}.")
    now = services().now()
    parts = {"yyyy": f"{now:%Y}", "yy": f"{now:%y}", "mm": f"{now:%m}", "dd": f"{now:%d}"}
    shown = SERIES_PART.sub(lambda found: f"{EXAMPLE:0{found[2] or 1}d}" if found[1] == "n" else parts[found[1]], series)
    return "ok", gettext("The 42nd looks like this: %(number)s", number=shown)


def condition_told(text: str, entity_key: str) -> tuple[str, str]:
    """What a condition's JSON says: (kind, sentence), or (bad, what is wrong where)."""
    entity = whole_schema().find(entity_key)
    if not text.strip() or entity is None:
        return "", ""
    try:
        tree = decode_json(text, max_bytes=MAX_CONDITION, unique_keys=True)
        parse_condition(tree, catalogue_of(entity))
    except ConditionInvalid as error:
        place = (error.field or "").removeprefix("$").removeprefix(".")
        return "bad", f"{place}: {in_words(error.message)}" if place else in_words(error.message)
    except Invalid as error:
        return "bad", in_words(error.message)
    return "ok", sentence_of(tree, entity)
