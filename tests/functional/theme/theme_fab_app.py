"""A Flask-AppBuilder application of its own, on a throw-away database, whose views use FAB's widgets under our templates."""

from __future__ import annotations

from flask import Flask, redirect
from flask_appbuilder import AppBuilder, Model, ModelView
from flask_appbuilder.actions import action
from flask_appbuilder.models.sqla.base import SQLA
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy import Boolean, Column, Date, ForeignKey, Integer, String
from sqlalchemy.orm import relationship
from werkzeug.wrappers import Response

from core.delivery.web.theme import TRANSLATIONS, init_theme


class ThemeMaker(Model):
    """Who makes the tea."""

    __tablename__ = "theme_maker"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), unique=True, nullable=False)

    def __repr__(self) -> str:
        return str(self.name)


class ThemeTea(Model):
    """A tea."""

    __tablename__ = "theme_tea"
    id = Column(Integer, primary_key=True)
    name = Column(String(50), nullable=False)
    picked_on = Column(Date)
    is_active = Column(Boolean)
    maker_id = Column(Integer, ForeignKey("theme_maker.id"))
    maker = relationship(ThemeMaker)


class ThemeTeaView(ModelView):
    """Teas, with filters, sorting and an action."""

    datamodel = SQLAInterface(ThemeTea)
    list_columns = ["name", "maker", "picked_on", "is_active"]

    @action("brew", "Brew", "Brew the chosen teas?", "fa-rocket")
    def brew(self, _items: object) -> Response:
        """Nothing but a way back."""
        return redirect("/")


class ThemeMakerView(ModelView):
    """Makers with their teas."""

    datamodel = SQLAInterface(ThemeMaker)
    related_views = [ThemeTeaView]


def make_fab_app() -> Flask:
    """The application with an administrator `admin` / `a-long-password`, one maker and 30 teas."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY="scratch", SQLALCHEMY_DATABASE_URI="sqlite://", WTF_CSRF_ENABLED=False, FAB_ADD_SECURITY_VIEWS=True,
        LANGUAGES={"en": {"flag": "gb", "name": "English"}, "zh": {"flag": "cn", "name": "简体中文"}},
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS), FAB_API_SWAGGER_UI=True,
    )  # fmt: skip
    with app.app_context():
        init_theme(app)
        db = SQLA(app)
        ours = [table for name, table in Model.metadata.tables.items() if name.startswith(("ab_", "theme_"))]
        Model.metadata.create_all(db.engine, tables=ours)
        builder = AppBuilder(app, db.session)
        builder.add_view(ThemeTeaView, "Teas", icon="fa-table", category="Catalogue")
        builder.add_view(ThemeMakerView, "Makers", icon="fa-user", category="Catalogue")
        builder.sm.add_user("admin", "Ada", "Min", "ada@example.test", builder.sm.find_role("Admin"), password="a-long-password")
        db.session.add(ThemeMaker(id=1, name="Hill & Sons"))
        db.session.add_all(ThemeTea(id=i, name=f"Tea <{i}>", maker_id=1, is_active=i % 2 == 0) for i in range(1, 31))
        db.session.commit()
    return app
