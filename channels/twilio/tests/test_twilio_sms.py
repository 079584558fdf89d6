"""Text messages, from a customer's phone and back: the contract, and what is Twilio's own."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from hayai.errors import SettingsError
from hayai.testing.channel import ChannelContract, House, Outside
from hayai.vocabulary.messages import DeliveryReported, MessageArrived, MessageFailed
from hayai.vocabulary.operations import AccountLow
from hayai_twilio.simulator.account import new_sid
from hayai_twilio.simulator.line import ACCOUNT, OURS, THEIRS
from hayai_twilio.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hayai.pools import Pool
    from hayai_twilio.simulator.account import Account, Fault
    from hayai_twilio.simulator.line import Line
    from hayai_twilio.sms import TwilioSMS


class Phone(Outside):
    """A customer's telephone."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._sids: dict[str, str] = {}

    async def write(self, id: str, text: str) -> bool:  # noqa: A002 - the contract's word
        """Text it; 200 is Twilio's acknowledgement."""
        return await self._line.text(text, self._sids.setdefault(id, new_sid())) == 200

    async def heard(self) -> list[str]:
        """What reached the telephone."""
        return self._line.twilio.heard(THEIRS)

    async def go_silent(self) -> bool:
        """Twilio's API does not answer."""
        self._line.twilio.account.faults.append("silence")
        return True

    async def refuse(self) -> bool:
        """No mobile number."""
        self._line.twilio.account.immobile.add(THEIRS)
        return True


class TestTwilioSMS(ChannelContract):
    """Held to the contract."""

    @pytest.fixture
    def outside(self, line: Line) -> Phone:
        """Its far end."""
        return Phone(line)


async def conversed(house: House, channel: TwilioSMS, line: Line) -> None:
    """Run the channel, and let a message come in."""
    await house.run(channel.handlers())
    assert await line.text("Hello") == 200
    await house.bus.settle()


async def settled(house: House, line: Line) -> None:
    """Return when every report has come in and was handled."""
    await asyncio.sleep(0.3)
    await house.bus.settle()


@pytest.mark.parametrize("fault", ["silence after", "500 after", "silence", "500"])
async def test_whatever_becomes_of_twilios_answer_one_text_is_sent(
    house: House, channel: TwilioSMS, line: Line, fault: Fault
) -> None:
    """What Twilio took is found in its list and not sent again; what it never took is sent."""
    await conversed(house, channel, line)
    line.twilio.account.faults.append(fault)
    await house.reply("Good morning!", channel="sms")
    for _ in range(100):
        if house.delivered:
            break
        await asyncio.sleep(0.1)
        house.clock.advance(60)  # type: ignore[attr-defined]
        await house.bus.settle()
    assert len(house.delivered) == 1
    assert line.twilio.heard(THEIRS) == ["Good morning!"]


async def test_a_long_answer_comes_in_parts(house: House, channel: TwilioSMS, line: Line) -> None:
    """Each once, in order."""
    await conversed(house, channel, line)
    await house.reply("This is a sentence. " * 100, channel="sms")
    first, second = line.twilio.heard(THEIRS)
    assert first.endswith("sentence.")
    assert len(first) + len(second) >= 1990


async def test_reports_in_any_order_make_one_arrival(house: House, channel: TwilioSMS, line: Line) -> None:
    """Shuffled and doubled: one event says that it arrived, and the row tells the furthest status."""
    seen = await house.noted(MessageArrived, MessageFailed)
    line.twilio._disorder = random.Random(7)
    await conversed(house, channel, line)
    for number in range(5):
        await house.reply(f"Answer {number}", channel="sms")
        await settled(house, line)
    assert [type(each) for each in seen] == [MessageArrived] * 5
    assert len({each.reply for each in seen if isinstance(each, MessageArrived)}) == 5


async def test_a_failure_is_told_with_its_reason(house: House, channel: TwilioSMS, line: Line) -> None:
    """A landline takes no texts, now and the next time."""
    seen = await house.noted(MessageFailed)
    line.twilio.account.landlines.add(THEIRS)
    await conversed(house, channel, line)
    reply = await house.reply("Good morning!", channel="sms")
    await settled(house, line)
    (failed,) = seen
    assert isinstance(failed, MessageFailed)
    assert (failed.reply, failed.code, failed.permanent) == (reply.id, "30006", True)


async def test_whatsapp_and_telephone_are_answered_where_they_came_from(
    house: House, channel: TwilioSMS, line: Line
) -> None:
    """The same number is two people until somebody says that it is one."""
    await conversed(house, channel, line)
    assert await line.text("Hello", sender=f"whatsapp:{THEIRS}", to=f"whatsapp:{OURS}") == 200
    await house.bus.settle()
    await house.reply("By WhatsApp", channel="sms")
    assert line.twilio.heard(f"whatsapp:{THEIRS}") == ["By WhatsApp"]
    assert len({event.person for event, _ in house.received}) == 2


async def test_a_picture_without_words_is_taken(house: House, line: Line) -> None:
    """The event tells where it is, the transcript that there was one."""
    form = {
        "MessageSid": new_sid(), "AccountSid": ACCOUNT, "From": THEIRS, "To": OURS, "Body": "", "NumMedia": "1",
        "MediaUrl0": "https://api.twilio.com/media/1", "MediaContentType0": "image/jpeg",
    }  # fmt: skip
    assert await line.twilio.calls.post(f"{line.origin}/sms/incoming", form) == 200
    await house.bus.settle()
    ((received, _),) = house.received
    assert [(each.url, each.media_type) for each in received.attachments] == [
        ("https://api.twilio.com/media/1", "image/jpeg")
    ]
    assert (await house.lines())[0].text == "[1 sent without words]"


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"MessageSid": "none"}, 422),
        ({"NumMedia": "many"}, 422),
        ({"From": "<script>"}, 422),
        ({"AccountSid": f"AC{'9' * 32}"}, 422),
        ({"To": "+15550100009"}, 404),
    ],
)
async def test_a_signed_webhook_that_is_no_message_is_refused(
    house: House, line: Line, form: dict[str, str], status: int
) -> None:
    """With a sentence, and nothing of it is taken."""
    whole = {"MessageSid": new_sid(), "AccountSid": ACCOUNT, "From": THEIRS, "To": OURS, "Body": "x", **form}
    assert await line.twilio.calls.post(f"{line.origin}/sms/incoming", whole) == status
    await house.bus.settle()
    assert not house.received


async def test_an_unsigned_webhook_is_refused(house: House, url: str) -> None:
    """403, whatever it says, and whatever is wrong with it."""
    import httpx

    form = {"MessageSid": new_sid(), "AccountSid": ACCOUNT, "From": THEIRS, "To": OURS, "Body": "x"}
    odd: list[dict[str, Any]] = [
        {"data": form},
        {"data": form, "headers": {"X-Twilio-Signature": "x"}},
        {"content": b"\xff\xfe", "headers": {"X-Twilio-Signature": "ü".encode()}},
        {"json": form, "headers": {"X-Twilio-Signature": "x"}},
    ]
    async with httpx.AsyncClient() as client:
        for request in odd:
            answer = await client.post(f"{url}/sms/incoming", **request)
            assert answer.status_code == 403
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await client.post(f"{url}/sms/incoming", content=b"x" * (2 << 20))).status_code == 413
    assert not house.received


async def test_nobody_gets_in_where_no_token_is_configured(open_line: Callable[..., Any]) -> None:
    """Closed, and not open."""
    async with open_line(auth_tokens=[]) as opened:
        assert await opened.line.text("Hello") == 403


async def test_a_number_of_no_business_is_refused_at_the_start(open_line: Callable[..., Any]) -> None:
    """Before a customer notices."""
    with pytest.raises(SettingsError, match="no such business"):
        async with open_line(numbers={OURS: "nobody"}):
            pass


async def test_replicas_share_the_pace_of_a_number(pool: Pool) -> None:
    """Ten turns at ten a second, taken by two at once: each a tenth of a second behind the one before."""
    stores: Sequence[Store] = (Store(pool), Store(pool))
    waits = sorted(
        [await stores[number % 2].turn("smile-dental", OURS, each=0.1, longest=60) or 0.0 for number in range(10)]
    )
    assert waits[0] == 0
    assert 0.7 < waits[-1] <= 0.9
    assert await stores[0].turn("smile-dental", OURS, each=0.1, longest=0.01) is None
    assert (await stores[0].turn("bright-remodel", OURS, each=0.1, longest=60)) == 0


async def test_a_status_only_goes_up(pool: Pool) -> None:
    """What was known is told beside it."""
    store = Store(pool)
    assert await store.raised("smile-dental", "SM1", "reply-1", "sent") == (True, None)
    assert await store.raised("smile-dental", "SM1", "reply-1", "queued") == (False, "sent")
    assert await store.raised("smile-dental", "SM1", "reply-1", "delivered") == (True, "sent")
    assert await store.raised("smile-dental", "SM1", "reply-1", "undelivered", "30003") == (False, "delivered")
    assert await store.of_others("smile-dental", ["SM1", "SM2"], "reply-2") == {"SM1"}
    assert await store.of_others("smile-dental", ["SM1"], "reply-1") == set()
    assert await store.of_others("bright-remodel", ["SM1"], "reply-2") == set()


async def test_another_account_reports_nothing(house: House, line: Line) -> None:
    """A report is taken from this account alone."""
    seen = await house.noted(DeliveryReported)
    form = {"MessageSid": new_sid(), "AccountSid": f"AC{'9' * 32}", "MessageStatus": "delivered"}
    assert await line.twilio.calls.post(f"{line.origin}/sms/status/smile-dental/talk/reply", form) == 422
    assert not seen


async def test_little_money_is_told_once_a_day(house: House, account: Account, open_line: Callable[..., Any]) -> None:
    """By an event of the platform's, however many replicas look; enough is no news."""
    seen = await house.noted(AccountLow)
    async with open_line(least_balance="20") as opened:
        assert await opened.channel._balance.look()
        account.balance = "19.99"
        for _ in range(2):
            assert not await opened.channel._balance.look()
    await house.bus.settle()
    (low,) = seen
    assert isinstance(low, AccountLow)
    assert (low.left, low.least, low.currency) == ("19.99", "20", "USD")
