"""Who hears no notices any more finds out, says so once, and listens again; polling goes on meanwhile."""

from __future__ import annotations

import pytest
from database_proxy import DatabaseProxy
from listening import CHANNEL, EarOn, say
from sqlalchemy import text

from framework.database import Database
from framework.database.notices import ANSWER, APPLICATION_NAME, LONGEST_PAUSE, PING, RARELY

CUT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = :name AND datname = current_database()"
)


@pytest.mark.postgres
async def test_a_listener_whose_connection_is_cut_hears_again_within_seconds(
    here: Database, ear_on: EarOn, lines: pytest.LogCaptureFixture
) -> None:
    ear = ear_on(here)
    await ear.until_live()

    await here.write(lambda c: c.execute(CUT, {"name": APPLICATION_NAME}).all())
    await ear.until_not_live()
    await ear.until_live(LONGEST_PAUSE)
    await here.write(say("due"))
    await ear.until_heard(3)

    assert ear.heard == ["", "", "due"]
    lost, back = lines.messages
    assert lost.startswith(f"notifications on {CHANNEL!r} are lost; polling goes on: ConnectionError:")
    assert back == f"notifications on {CHANNEL!r} arrive again"
    assert [record.exc_info for record in lines.records if record.exc_info] == []


@pytest.mark.postgres
async def test_a_server_that_is_down_is_tried_until_it_is_up_and_complained_of_once(
    proxy: DatabaseProxy, there: Database, ear_on: EarOn, lines: pytest.LogCaptureFixture
) -> None:
    await proxy.close()
    ear = ear_on(there)
    await ear.let_pass(60)
    assert not ear.listener.is_live

    await proxy.open()
    await ear.until_live(LONGEST_PAUSE)

    assert ear.heard == [""]
    assert [record.levelname for record in lines.records] == ["WARNING", "INFO"]


@pytest.mark.postgres
async def test_behind_a_transaction_pooler_it_says_once_that_nothing_arrives_and_tries_again_rarely(
    proxy: DatabaseProxy, there: Database, ear_on: EarOn, lines: pytest.LogCaptureFixture
) -> None:
    proxy.pools_transactions = True
    ear = ear_on(there)
    await ear.until(lambda: bool(lines.messages), 4 * ANSWER)
    attempts = proxy.accepted

    await ear.let_pass(RARELY * 0.9)
    assert proxy.accepted == attempts
    await ear.until(lambda: proxy.accepted > attempts, RARELY)
    await ear.let_pass(4 * ANSWER)

    assert (ear.heard, ear.listener.is_live) == ([], False)
    assert lines.messages == [
        f"notifications on {CHANNEL!r} do not arrive (behind a transaction pooler?); polling goes on"
    ]


@pytest.mark.postgres
async def test_once_the_pooler_is_gone_notices_arrive_again(
    proxy: DatabaseProxy, there: Database, ear_on: EarOn, lines: pytest.LogCaptureFixture
) -> None:
    proxy.pools_transactions = True
    ear = ear_on(there)
    await ear.until(lambda: bool(lines.messages), 4 * ANSWER)
    attempts = proxy.accepted

    proxy.pools_transactions = False
    await ear.until(lambda: proxy.accepted > attempts, 2 * RARELY)
    await ear.until_live()

    assert ear.heard == [""]
    assert lines.messages[1:] == [f"notifications on {CHANNEL!r} arrive again"]


@pytest.mark.postgres
async def test_a_connection_that_stands_and_delivers_nothing_is_replaced(
    proxy: DatabaseProxy, there: Database, ear_on: EarOn
) -> None:
    ear = ear_on(there)
    await ear.until_live()

    proxy.pools_transactions = True
    await ear.until_not_live(PING + 4 * ANSWER)
    proxy.pools_transactions = False
    await ear.until_live(LONGEST_PAUSE)

    assert ear.heard == ["", ""]


@pytest.mark.postgres
async def test_a_notice_that_cannot_be_taken_ends_nothing(
    here: Database, ear_on: EarOn, lines: pytest.LogCaptureFixture
) -> None:
    ear = ear_on(here)
    await ear.until_live()
    ear.take = int

    await here.write(say("no number"))
    await ear.until(lambda: bool(lines.messages))
    ear.take = ear.heard.append
    await here.write(say("due"))
    await ear.until_heard(2)

    assert ear.heard == ["", "due"]
    assert lines.messages == [f"a notice on {CHANNEL!r} was not taken"]
