"""Messages on their way: signed, in order, repeated, paused, replayed, and each tenant's its own."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update

from core.runtime.events import EventDraft
from core.runtime.events.models import Delivery, Event
from core.runtime.plugin_host.lifecycle import disable
from core.sdk import HostNotAllowed
from plugins.outbound_webhooks import jobs, service
from plugins.outbound_webhooks.models import Hook, Message
from tests.plugins.outbound_webhooks.conftest import PLUGIN

pytestmark = pytest.mark.database


def held(order=None, **payload):
    return EventDraft("order.held", "order", order or uuid4(), {"codes": ["unmatched_sku"], "by": "Wei Chen", **payload})


def states(desk, scope=None):
    return [message.state for message in desk.messages(scope)]


def test_event_arrives_signed_and_without_personal_data_when_somebody_wants_it(desk, receiver):
    _, secret = desk.subscribe(receiver, "order.held")
    order = uuid4()

    desk.happen(held(order, note="call 13800138000", number="SO-1"), EventDraft("order.paid", "order", uuid4(), {}))

    [call] = receiver.calls
    assert call.is_signed_by(secret)
    assert (call.signatures(), call.path, call.headers["content-type"]) == (1, "/hook", "application/json")
    assert call.event.pop("id") == call.headers["orderloom-event-id"]
    assert call.event["subject"] == {"type": "order", "id": str(order), "sequence": 1}
    assert (call.event["kind"], call.event["tenant"], call.event["version"]) == ("order.held", "tea", 1)
    assert call.event["facts"] == {"codes": ["unmatched_sku"], "number": "SO-1"}
    assert states(desk) == ["delivered"]
    assert [(one.number, one.status, one.code) for one in desk.attempts()] == [(1, 204, "")]


def test_forged_or_old_message_is_told_apart_when_a_receiver_checks_it(desk, receiver):
    _, secret = desk.subscribe(receiver)

    desk.happen(held())

    [call] = receiver.calls
    assert not call.is_signed_by("whsec_wrong")
    assert not type(call)(call.path, call.headers, call.body + b" ").is_signed_by(secret)
    assert not call.is_signed_by(secret, tolerance_s=-1)


def test_answer_is_asked_for_again_with_the_same_id_when_it_was_lost(desk, receiver):
    desk.subscribe(receiver)
    receiver.answers = ["drop"]

    desk.happen(held())
    after_loss = states(desk)
    desk.floor.hurry(desk.tea)

    first, second = receiver.calls
    assert after_loss == ["retrying"]
    assert states(desk) == ["delivered"]
    assert first.body == second.body
    assert first.headers["orderloom-event-id"] == second.headers["orderloom-event-id"]
    assert [call.headers["orderloom-attempt"] for call in receiver.calls] == ["1", "2"]
    assert [(one.status, one.code) for one in desk.attempts()] == [(None, "events.answer_lost: broken"), (204, "")]


def test_failure_is_kept_with_the_beginning_of_the_answer_when_the_receiver_fails(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    receiver.answers = [(500, {}, b"\x00boom " + b"x" * 5000)]

    desk.happen(held())

    [attempt] = desk.attempts()
    assert (attempt.status, attempt.code, len(attempt.answer), attempt.answer[:5]) == (500, "outbound_webhooks.receiver_failed", 1024, "\ufffdboom")
    [message] = desk.messages()
    assert (message.state, message.attempts) == ("retrying", 1)
    assert message.next_at > attempt.started_at
    assert desk.hook(hook).failures == 1


def test_later_messages_of_a_subject_wait_when_the_first_is_repeated(desk, receiver):
    desk.subscribe(receiver)
    receiver.answers = [500]
    order, other = sorted((uuid4(), uuid4()), key=str)  # lanes are worked through in this order

    desk.happen(held(order), deliver=False)
    desk.happen(EventDraft("order.released", "order", order, {}), held(other))
    between = [(call.event["subject"]["id"], call.event["kind"]) for call in receiver.calls]
    desk.floor.hurry(desk.tea)
    desk.floor.hurry(desk.tea)

    assert sorted(between) == sorted([(str(order), "order.held"), (str(other), "order.held")])
    assert [call.event["kind"] for call in receiver.calls if call.event["subject"]["id"] == str(order)] == [
        "order.held",
        "order.held",
        "order.released",
    ]
    assert states(desk) == ["delivered"] * 3


def test_each_subscription_has_its_own_retries_when_one_receiver_fails(desk, receiver):
    well, _ = desk.subscribe(receiver, name="Well")
    broken = type(receiver)(usual=500)
    ill, _ = desk.subscribe(broken, name="Ill")

    desk.happen(held())
    broken.stop()

    assert {message.hook_id: message.state for message in desk.messages()} == {well: "delivered", ill: "retrying"}
    assert (len(receiver.calls), len(broken.calls)) == (1, 1)
    assert (desk.hook(well).failures, desk.hook(ill).failures) == (0, 1)


def test_both_secrets_sign_when_the_overlap_lasts_and_only_the_new_one_afterwards(desk, receiver):
    hook, old = desk.subscribe(receiver)

    new = desk.change(hook, service.rotate_secret)
    desk.happen(held())
    with desk.unit() as session:
        session.execute(update(Hook).values(former_until=Hook.rotated_at))
    desk.happen(held())

    during, after = receiver.calls
    assert old != new
    assert (during.signatures(), during.is_signed_by(old), during.is_signed_by(new)) == (2, True, True)
    assert (after.signatures(), after.is_signed_by(old), after.is_signed_by(new)) == (1, False, True)


def test_pause_of_the_receiver_is_kept_without_counting_when_it_answers_429(desk, receiver):
    desk.subscribe(receiver)
    receiver.answers = [(429, {"Retry-After": "120"}, b"slow down")]

    desk.happen(held())

    [message] = desk.messages()
    with desk.unit() as session:
        delivery = session.scalars(select(Delivery).where(Delivery.subscriber == "outbound_webhooks.post")).one()
    assert (message.state, delivery.state, delivery.attempts) == ("retrying", "pending", 0)
    assert timedelta(seconds=110) < message.next_at - message.made_at < timedelta(seconds=130)
    assert [attempt.status for attempt in desk.attempts()] == [429]


def test_redirect_is_not_followed_when_a_receiver_sends_one(desk, receiver):
    desk.subscribe(receiver)
    receiver.answers = [(302, {"Location": receiver.url("/elsewhere")}, b"")]

    desk.happen(held())

    assert [call.path for call in receiver.calls] == ["/hook"]
    assert states(desk) == ["retrying"]


def test_subscription_is_paused_and_the_next_event_held_when_the_receiver_is_gone(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    receiver.answers = [410]

    desk.happen(held())
    desk.happen(held())

    assert len(receiver.calls) == 1
    assert states(desk) == ["failed", "held"]
    assert desk.hook(hook).paused == "gone"
    with desk.unit() as session:
        told = session.scalars(select(Event).where(Event.kind == "outbound_webhooks.paused")).one()
    assert (told.subject_type, told.subject_id) == ("webhook", str(hook))
    assert told.payload == {"name": "ERP", "reason": "gone", "failures": 1, "page": f"/webhooks/{hook}/"}


def test_subscription_is_paused_when_it_failed_often_enough_for_long_enough(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    receiver.usual = 500
    with desk.unit() as session:
        session.execute(update(Hook).values(failures=19))

    desk.happen(held())
    too_short = desk.hook(hook).paused
    with desk.unit() as session:
        session.execute(update(Hook).values(failing_since=Hook.created_at - timedelta(hours=13)))
    desk.floor.hurry(desk.tea)

    assert (too_short, desk.hook(hook).paused, desk.hook(hook).failures) == ("", "failures", 21)
    desk.floor.hurry(desk.tea)
    assert (len(receiver.calls), states(desk)) == (2, ["held"])


def test_held_messages_go_out_in_order_when_the_subscription_goes_on(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    desk.change(hook, service.pause_hook)
    order = uuid4()
    for kind in ("order.accepted", "order.paid", "order.held"):
        desk.happen(EventDraft(kind, "order", order, {}))
    before = states(desk)

    desk.change(hook, service.resume_hook)
    desk.floor.settle(desk.tea)

    assert before == ["held"] * 3
    assert [call.event["kind"] for call in receiver.calls] == ["order.accepted", "order.paid", "order.held"]


def test_test_event_is_sent_when_the_subscription_is_paused(desk, receiver):
    hook, secret = desk.subscribe(receiver)
    desk.change(hook, service.pause_hook)

    desk.change(hook, service.send_trial)
    desk.floor.settle(desk.tea)

    [call] = receiver.calls
    assert (call.event["kind"], call.is_signed_by(secret), states(desk)) == ("webhook.test", True, ["delivered"])


def test_message_is_sent_once_more_with_the_same_body_when_somebody_replays_it(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    desk.happen(held())
    [message] = desk.messages()

    desk.change(hook, lambda ctx, row: service.replay_message(ctx, row, message.id))
    desk.floor.settle(desk.tea)

    first, second = receiver.calls
    assert (first.body, first.headers["orderloom-delivery-id"]) == (second.body, second.headers["orderloom-delivery-id"])
    assert [attempt.number for attempt in desk.attempts()] == [1, 2]


def test_only_failed_messages_since_the_moment_are_sent_when_all_failed_are_replayed(desk, receiver):
    hook, _ = desk.subscribe(receiver)
    for _ in range(3):
        desk.happen(held())
    receiver.calls.clear()
    old, new, fine = desk.messages()
    with desk.unit() as session:
        session.execute(update(Message).where(Message.id.in_([old.id, new.id])).values(state="failed"))
        session.execute(update(Message).where(Message.id == old.id).values(made_at=Message.made_at - timedelta(days=2)))

    desk.change(hook, lambda ctx, row: service.ask_for_replay(ctx, row, since=new.made_at - timedelta(hours=1)))
    desk.floor.settle(desk.tea)

    assert [call.headers["orderloom-delivery-id"] for call in receiver.calls] == [str(new.id)]
    assert {message.id: message.state for message in desk.messages()} == {old.id: "failed", new.id: "delivered", fine.id: "delivered"}


def test_all_failed_messages_are_sent_when_there_are_more_than_one_piece(desk, receiver, monkeypatch):
    monkeypatch.setattr("plugins.outbound_webhooks.subscribers.REPLAYED_AT_ONCE", 2)
    hook, _ = desk.subscribe(receiver)
    desk.happen(*(held() for _ in range(5)))
    with desk.unit() as session:
        session.execute(update(Message).values(state="failed"))
    receiver.calls.clear()

    desk.change(hook, service.ask_for_replay)
    desk.floor.settle(desk.tea)

    assert len(receiver.calls) == 5
    assert states(desk) == ["delivered"] * 5


def test_message_is_given_up_when_it_was_tried_for_three_days(desk, receiver):
    desk.subscribe(receiver)
    receiver.usual = 500
    desk.happen(held())
    with desk.unit() as session:
        session.connection().execute(text("UPDATE event SET occurred_at = occurred_at - interval '73 hours'"))

    desk.floor.hurry(desk.tea)

    assert (states(desk), len(receiver.calls)) == (["failed"], 1)


def test_tenants_hear_their_own_events_only_when_both_subscribe(desk, receiver):
    _, tea_secret = desk.subscribe(receiver)
    other = type(receiver)()
    _, gift_secret = desk.subscribe(other, scope=desk.gift)

    desk.happen(held())
    desk.happen(held(), held(), scope=desk.gift)
    other.stop()

    assert [(call.event["tenant"], call.is_signed_by(tea_secret), call.is_signed_by(gift_secret)) for call in receiver.calls] == [
        ("tea", True, False)
    ]
    assert [(call.event["tenant"], call.is_signed_by(gift_secret)) for call in other.calls] == [("gift", True)] * 2
    assert (len(desk.messages()), len(desk.messages(desk.gift))) == (1, 2)


def test_nothing_is_sent_when_the_plugin_is_off_for_the_tenant(desk, receiver):
    desk.subscribe(receiver)
    desk.happen(held(), deliver=False)
    with desk.unit() as session:
        disable(session, desk.floor.system.plugins, PLUGIN)
    desk.floor.system.plugins.enablement.forget()

    desk.floor.settle(desk.tea)
    desk.happen(held())

    assert receiver.calls == []
    with desk.unit() as session:
        assert set(session.scalars(select(Delivery.state).where(Delivery.subscriber.startswith("outbound_webhooks.")))) == {"parked"}


def test_private_address_is_refused_when_the_operator_does_not_allow_it(desk, receiver):
    plugins = desk.floor.system.plugins
    desk.subscribe(receiver)
    allowed, plugins.egress.transport._allow = plugins.egress.transport._allow, ()

    try:
        with desk.unit() as session:
            for url in ("https://10.0.0.8/hook", "https://[::1]/hook", "http://example.com/hook", "https://example.com:22/", "ftp://x.com/"):
                with pytest.raises((service.HookRefused, HostNotAllowed)):
                    service.make_hook(desk.context(session), service.checked({"name": url, "url": url, "events": ["order."]}))
        desk.happen(held())
    finally:
        plugins.egress.transport._allow = allowed

    assert receiver.calls == []
    assert states(desk) == ["failed"]
    assert [attempt.code for attempt in desk.attempts()] == ["plugin.host_not_allowed: unencrypted"]


def test_host_is_called_only_when_a_subscription_holds_it(desk, receiver):
    hook, _ = desk.subscribe(receiver)

    with desk.unit() as session:
        session.execute(update(Hook).values(url=receiver.url().replace("127.0.0.1", "localhost")))
    desk.happen(held())

    assert (receiver.calls, states(desk)) == ([], ["failed"])
    desk.change(hook, service.remove_hook)
    with desk.unit() as session:
        assert session.connection().execute(text("SELECT count(*) FROM plugin_egress")).scalar() == 0


def test_old_deliveries_go_when_the_log_is_tidied(desk, receiver):
    desk.subscribe(receiver)
    desk.happen(held(), held())
    old, new = desk.messages()
    with desk.unit() as session:
        session.execute(update(Message).where(Message.id == old.id).values(made_at=Message.made_at - timedelta(days=31)))

    with desk.unit() as session:
        jobs.tidy(desk.context(session), [])

    assert [message.id for message in desk.messages()] == [new.id]
    assert [attempt.message_id for attempt in desk.attempts()] == [new.id]
