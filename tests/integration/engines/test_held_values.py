"""Fields that name members, hold files or encrypted values: checked, masked, found by their whole value, cleaned up; in two tenants."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from core.domain.all_entities import core_entities
from core.engines.configuration import Change, ConfigRefused, KindRegistry, apply_changes
from core.engines.metadata import custom, queries, writing
from core.engines.metadata.files import FileLimits, FilesFull, FileTooLarge, StoredFile, content_of, receive, sweep_files
from core.engines.metadata.queries import ListQuery
from core.engines.metadata.sealed import MASK
from core.engines.metadata.search import SearchToken
from core.engines.metadata.tailor import Schemas
from core.engines.metadata.tailor.kinds import metadata_kinds
from core.engines.metadata.values import ValuesRefused, take
from core.kernel.errors import Invalid, NotFound
from core.runtime.security import accounts, audit, members, roles
from core.runtime.security.permissions import CORE_PERMISSIONS, PermissionRegistry, Rights
from core.runtime.tenancy.scope import Actor

pytestmark = pytest.mark.database
NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
BASE = core_entities()
KINDS = KindRegistry(metadata_kinds(BASE))
CASE = "custom.case"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20
LIMITS = FileLimits(each=100, total=250)


@pytest.fixture(scope="module")
def schemas():
    return Schemas(BASE)


@pytest.fixture(scope="module")
def cases(world, schemas):
    field = {"entity": CASE, "type": "text"}
    changes = [
        Change("entity", {"key": "case", "label": "Case", "label_plural": "Cases", "title": "name"}),
        Change("field", {**field, "key": "name", "label": "Name"}),
        Change("field", {**field, "key": "passport", "label": "Passport", "sealed": True, "unique": True}),
        Change("field", {**field, "key": "paper", "label": "Paper", "type": "file"}),
        Change("field", {**field, "key": "owner_id", "label": "Owner", "type": "user"}),
    ]
    for scope in (world.tea, world.gift):
        with world.database.unit(scope) as session:
            apply_changes(session, KINDS, changes)
    return CASE


def member(world, scope, email):
    rights = Rights(PermissionRegistry(CORE_PERMISSIONS), lambda _session, _epoch: frozenset())
    with world.database.platform() as session:
        person = accounts.create_account(session, accounts.NewAccount(email, email.partition("@")[0].title(), "brass-kettle-hums-91"))
    with world.database.unit(scope) as session:
        roles.seed_roles(session)
        return members.add_member(session, rights, person.user_id, role_codes=["warehouse"]).id


def make(session, schemas, **values):
    entity = schemas.of(session).get(CASE)
    fields = [entity.by_key[key] for key in entity.form_fields]
    return writing.create(session, entity, take(session, schemas.of(session), fields, values, is_new=True), now=NOW)


def change(session, schemas, record_id, **values):
    entity = schemas.of(session).get(CASE)
    record = queries.record(session, entity, record_id)
    fields = [entity.by_key[key] for key in entity.form_fields]
    writing.update(session, entity, record, take(session, schemas.of(session), fields, values, is_new=False, is_partial=True), now=NOW)


def named(session, schemas, condition):
    entity = schemas.of(session).get(CASE)
    return [row.name for row in queries.fetch(session, entity, ListQuery(condition=condition), now=NOW, keys=["name"]).rows]


def test_field_of_members_takes_members_of_this_business_and_tells_their_names(world, schemas, cases):
    ada, stranger = member(world, world.tea, "ada@tea.example"), member(world, world.gift, "eve@gift.example")
    with world.database.unit(world.tea) as session:
        record_id = make(session, schemas, name="Owned", owner_id=str(ada)).id
        with pytest.raises(ValuesRefused) as refused:
            make(session, schemas, name="Stolen", owner_id=str(stranger))

    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(CASE)
        record = queries.record(session, entity, record_id)
        names = queries.labels(session, schemas.of(session), entity, [record], ["owner_id"])
        found = named(session, schemas, {"field": "owner_id", "op": "eq", "value": str(ada)})
        by_text, by_nothing = members.find_members(session, "AD"), members.find_members(session, "eve")

    assert refused.value.problems == {"owner_id": "There is no such member."}
    assert names == {ada: "Ada"}
    assert found == ["Owned"]
    assert (by_text, by_nothing) == ([(ada, "Ada")], [])


def test_encrypted_value_is_masked_found_whole_and_revealed_for_a_reason(world, schemas, cases):
    with world.database.unit(world.tea) as session:
        record_id = make(session, schemas, name="Secret", passport="E12345678").id
    with world.database.unit(world.gift) as session:
        make(session, schemas, name="Theirs", passport="E12345678")

    with world.database.unit(world.tea) as session:
        entity = schemas.of(session).get(CASE)
        record = queries.record(session, entity, record_id)
        row = queries.fetch(session, entity, ListQuery(condition={"field": "name", "op": "eq", "value": "Secret"}), now=NOW, keys=["passport"]).rows[0]
        whole = named(session, schemas, {"field": "passport", "op": "eq", "value": "E12345678"})
        one_of = named(session, schemas, {"field": "passport", "op": "in", "value": ["X", "E12345678"]})
        other = named(session, schemas, {"field": "passport", "op": "eq", "value": "E1234567"})
        empty = named(session, schemas, {"all": [{"field": "passport", "op": "is_empty"}, {"field": "name", "op": "eq", "value": "Secret"}]})
        with pytest.raises(Invalid):
            named(session, schemas, {"field": "passport", "op": "starts_with", "value": "E"})
        with pytest.raises(Invalid):
            custom.reveal(session, record, entity.by_key["passport"], reason=" ")
        clear = custom.reveal(session, record, entity.by_key["passport"], reason="Customs asked")
        told = audit.entries(session, audit.AuditFilter(subject_id=str(record_id)))
        tokens = session.scalars(select(SearchToken.token).where(SearchToken.record_id == record_id)).all()

    assert (record.passport, row.passport) == (MASK, MASK)
    assert (whole, one_of, other, empty) == (["Secret"], ["Secret"], [], [])
    assert clear == "E12345678"
    assert told[0].action == "records.revealed"
    assert told[0].changes["reason"] == [None, "Customs asked"]
    assert "E12345678" not in str([entry.changes for entry in told])
    assert "E12345678" not in str(record.custom)
    assert tokens == ["secret"]


def test_encrypted_value_stays_when_its_mask_is_given_back(world, schemas, cases):
    with world.database.unit(world.tea) as session:
        record_id = make(session, schemas, name="Kept", passport="K1").id

    with world.database.unit(world.tea) as session:
        change(session, schemas, record_id, name="Kept still", passport=MASK)
    with world.database.unit(world.tea) as session:
        item = schemas.of(session).get(CASE).by_key["passport"]
        kept = custom.opened(session, item, queries.record(session, schemas.of(session).get(CASE), record_id).custom)
        change(session, schemas, record_id, passport=None)
        gone = named(session, schemas, {"field": "passport", "op": "eq", "value": "K1"})

    assert kept == "K1"
    assert gone == []


def test_record_is_not_called_by_an_encrypted_value(world, cases):
    change_title = {"key": "case", "label": "Case", "label_plural": "Cases", "title": "passport"}

    with world.database.unit(world.tea) as session, pytest.raises(ConfigRefused) as refused:
        apply_changes(session, KINDS, [Change("entity", change_title)])

    assert set(refused.value.problems) == {"entity[case].title"}


def test_file_is_given_out_by_the_field_that_holds_it_alone(world, schemas, cases):
    with world.database.unit(world.tea) as session:
        item = schemas.of(session).get(CASE).by_key["paper"]
        sent = receive(session, name="C:\\papers\\票据.png", data=PNG, limits=LIMITS)
        record_id = make(session, schemas, name="With file", paper=str(sent.id)).id
        other_id = make(session, schemas, name="Thief").id

    with world.database.unit(world.tea) as session:
        stored = content_of(session, record_id, item, sent.id)
        facts = (stored.name, stored.size, stored.media_type, stored.sha256, stored.data)
        with pytest.raises(Invalid) as taken:
            change(session, schemas, other_id, paper=str(sent.id))
        with pytest.raises(NotFound):
            content_of(session, other_id, item, sent.id)
        session.rollback()
    with world.database.unit(world.gift) as session, pytest.raises(NotFound):
        content_of(session, record_id, item, sent.id)

    assert facts == ("票据.png", len(PNG), "image/png", hashlib.sha256(PNG).hexdigest(), PNG)
    assert taken.value.field == "paper"


def test_file_that_somebody_else_sent_cannot_be_taken(world, schemas, cases):
    with world.database.unit(world.tea) as session:
        sent = receive(session, name="mine.txt", data=b"mine", limits=LIMITS).id
    scope = replace(world.tea, actor=Actor("user", "2", "Other"))

    with world.database.unit(scope) as session, pytest.raises(ValuesRefused) as refused:
        make(session, schemas, name="Other", paper=str(sent))

    assert refused.value.problems == {"paper": "There is no such file."}


def test_file_is_gone_when_it_is_replaced_removed_or_its_record_deleted(world, schemas, cases):
    def left(session, *ids):
        return set(session.scalars(select(StoredFile.id).where(StoredFile.id.in_(ids))))

    with world.database.unit(world.tea) as session:
        first, second, third = (receive(session, name="a", data=b"a", limits=LIMITS).id for _ in range(3))
        record_id = make(session, schemas, name="Changing", paper=str(first)).id
        change(session, schemas, record_id, paper=str(second))
        replaced = left(session, first, second, third)
        change(session, schemas, record_id, paper=None)
        removed = left(session, first, second, third)
        change(session, schemas, record_id, paper=str(third))
        schema = schemas.of(session)
        writing.remove(session, schema, schema.get(CASE), queries.record(session, schema.get(CASE), record_id))
        deleted = left(session, first, second, third)

    assert (replaced, removed, deleted) == ({second, third}, {third}, set())


def test_file_is_refused_when_it_is_empty_too_large_or_there_is_no_room(world, cases):
    with world.database.unit(world.gift) as session:
        with pytest.raises(Invalid):
            receive(session, name="a", data=b"", limits=LIMITS)
        with pytest.raises(FileTooLarge):
            receive(session, name="a", data=b"x" * 101, limits=LIMITS)
        receive(session, name="a", data=b"x" * 100, limits=LIMITS)
        receive(session, name="b", data=b"x" * 100, limits=LIMITS)
        with pytest.raises(FilesFull):
            receive(session, name="c", data=b"x" * 51, limits=LIMITS)
        session.rollback()


def test_sweep_forgets_files_that_nobody_used_and_those_of_lost_records(world, schemas, cases):
    with world.database.unit(world.tea) as session:
        session.execute(update(StoredFile).where(StoredFile.record_id.is_(None)).values(created_at=NOW))
        old, fresh, lost = (receive(session, name=name, data=b"x", limits=LIMITS) for name in ("old", "fresh", "lost"))
        item = schemas.of(session).get(CASE).by_key["paper"]
        old.created_at, fresh.created_at = NOW - timedelta(days=2), NOW
        lost.record_id, lost.slot = uuid4(), item.slot
        session.flush()
        number = sweep_files(session, schemas.of(session), now=NOW)
        names = set(session.scalars(select(StoredFile.name).where(StoredFile.name.in_(["old", "fresh", "lost"]))))

    assert number == 2
    assert names == {"fresh"}
