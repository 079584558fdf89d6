"""Ten thousand signatures through a real reverse proxy: no forged one is taken, no genuine one refused, nothing breaks.

The proxy (Caddy) speaks plain HTTP here and tells the door of it, as one that ends TLS does; Twilio signs the public
address. Each request is made from a seed that a failure prints.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sysconfig
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from twilio.request_validator import RequestValidator

from hayai.testing.servers import free_port
from hayai_twilio.simulator.account import new_sid
from hayai_twilio.simulator.line import ACCOUNT, OURS, THEIRS, TOKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

REQUESTS = 10_000
PUBLIC = "https://sms.example"
PATH = "/sms/status/smile-dental/talk/reply-1"
FORMER = "the-token-before-this-one-000000"
SEED = 20261123


@dataclass
class Webhook:
    """A webhook on its way; a mutation changes what is sent, or what is signed."""

    form: list[tuple[str, str]]
    signed_form: dict[str, str]
    signed_url: str = PUBLIC + PATH
    path: str = PATH
    token: str = TOKEN
    signature: Callable[[str], str] = str
    encode: Callable[[str], str] = quote_plus
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def sent(self) -> dict[str, Any]:
        """The request as httpx takes it."""
        signature = RequestValidator(self.token).compute_signature(self.signed_url, self.signed_form)
        body = "&".join(f"{self.encode(name)}={self.encode(value)}" for name, value in self.form)
        headers = {
            "Host": "sms.example",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": self.signature(signature),
            **self.headers,
        }
        return {"url": self.path, "content": body, "headers": headers}


def fresh(chance: random.Random) -> Webhook:
    """A report on a message, as Twilio would send it."""
    form = {
        "AccountSid": ACCOUNT, "From": OURS, "To": THEIRS, "MessageSid": new_sid(),
        "MessageStatus": chance.choice(["queued", "sent", "delivered", "undelivered"]), "ErrorCode": "",
        "Body": "".join(chance.choices("abc äß歯👍 +%&=~*/", k=chance.randrange(12))), "ApiVersion": "2010-04-01",
    }  # fmt: skip
    return Webhook(list(form.items()), form)


def shuffled(hook: Webhook, chance: random.Random) -> None:
    """Fields in another order: Twilio sorts before it signs."""
    chance.shuffle(hook.form)


def with_port(hook: Webhook, _: random.Random) -> None:
    """Signed with the port that https means anyway."""
    hook.signed_url = hook.signed_url.replace("sms.example", "sms.example:443")


def escaped_otherwise(hook: Webhook, _: random.Random) -> None:
    """%20 in place of +: the same values."""
    hook.encode = lambda text: quote(text, safe="")


def former(hook: Webhook, _: random.Random) -> None:
    """Signed with the token that is being replaced."""
    hook.token = FORMER


def new_field(hook: Webhook, chance: random.Random) -> None:
    """Twilio adds fields without a word; this one is signed."""
    name = f"New{chance.randrange(99)}"
    hook.form.append((name, "x"))
    hook.signed_form[name] = "x"


def with_query(hook: Webhook, chance: random.Random) -> None:
    """A query of ours, signed as it stands."""
    query = chance.choice(["?a=1", "?a=%20b&c", "?b=2&a=1", "?x=%C3%A4"])
    hook.path += query
    hook.signed_url += query


def changed_value(hook: Webhook, chance: random.Random) -> None:
    """A field that says something else."""
    place = chance.randrange(len(hook.form))
    name, value = hook.form[place]
    hook.form[place] = (name, value + chance.choice("x0+ \u0301"))


def dropped(hook: Webhook, chance: random.Random) -> None:
    """A field that is gone, be it an empty one: its name was signed."""
    hook.form.pop(chance.randrange(len(hook.form)))


def added(hook: Webhook, chance: random.Random) -> None:
    """A field that nobody signed."""
    hook.form.insert(chance.randrange(len(hook.form)), (f"X{chance.randrange(9)}", ""))


def renamed(hook: Webhook, chance: random.Random) -> None:
    """A name in another case."""
    place = chance.randrange(len(hook.form))
    name, value = hook.form[place]
    hook.form[place] = (name.swapcase(), value)


def other_scheme(hook: Webhook, _: random.Random) -> None:
    """Signed for http."""
    hook.signed_url = hook.signed_url.replace("https", "http", 1)


def other_port(hook: Webhook, chance: random.Random) -> None:
    """Signed for a port that we are not at."""
    hook.signed_url = hook.signed_url.replace("sms.example", f"sms.example:{chance.choice([80, 8443, 1])}")


def other_host(hook: Webhook, chance: random.Random) -> None:
    """Signed for somebody else, and the request says that it is for them."""
    other = chance.choice(["evil.example", "sms.example.evil.example", "SMS.example", "sms.example."])
    hook.signed_url = hook.signed_url.replace("sms.example", other)
    hook.headers |= chance.choice([{}, {"Host": other}, {"X-Forwarded-Host": other}, {"X-Original-Host": other}])


def other_path(hook: Webhook, chance: random.Random) -> None:
    """A report for another answer than was signed."""
    hook.path = chance.choice([f"{PATH}2", PATH.replace("smile-dental", "bright"), PATH.replace("/re", "//re")])


def other_escape(hook: Webhook, _: random.Random) -> None:
    """The same path, spelled otherwise."""
    hook.path = PATH.replace("talk", "t%61lk")


def unsigned_query(hook: Webhook, _: random.Random) -> None:
    """A query that nobody signed."""
    hook.path += "?admin=1"


def wrong_token(hook: Webhook, chance: random.Random) -> None:
    """Signed with a secret that was never ours, or none."""
    hook.token = chance.choice(["", "x", TOKEN[:-1], f"{TOKEN} ", TOKEN.upper()])


def wrong_signature(hook: Webhook, chance: random.Random) -> None:
    """Cut, lengthened, changed, doubled, or gone."""
    hook.signature = chance.choice([
        lambda it: it[:-1], lambda it: f"{it}=", lambda it: it.swapcase(), lambda it: "", lambda it: f"{it},{it}",
        lambda it: it[::-1], lambda _: "A" * 28, lambda _: "\\x00", lambda it: f"{it} x",
    ])  # fmt: skip


def wrong_type(hook: Webhook, chance: random.Random) -> None:
    """A form that does not say that it is one: then its hash must be in the URL, and is not."""
    hook.headers["Content-Type"] = chance.choice(["application/json", "text/plain", "multipart/form-data; boundary=x"])


def wrong_hash(hook: Webhook, _: random.Random) -> None:
    """A body under the hash of another, signed."""
    query = f"?bodySHA256={'0' * 64}"
    hook.headers["Content-Type"] = "application/json"
    hook.path, hook.signed_url, hook.signed_form = hook.path + query, hook.signed_url + query, {}


def broken_bytes(hook: Webhook, _: random.Random) -> None:
    """No UTF-8."""
    hook.encode = lambda text: quote_plus(text) + "%ff"


def shared_key_of_nobody(hook: Webhook, chance: random.Random) -> None:
    """A key that this account does not have."""
    said = chance.choice(["key=x,algorithm=HMAC_SHA256", "key=x,algorithm=none", "algorithm=HMAC_SHA256", "x"])
    hook.headers["X-Twilio-Webhooks-Signature-Settings"] = said


GENUINE = (lambda hook, chance: None, shuffled, with_port, escaped_otherwise, former, new_field, with_query)
FORGED = (
    changed_value, dropped, added, renamed, other_scheme, other_port, other_host, other_path, other_escape,
    unsigned_query, wrong_token, wrong_signature, wrong_type, wrong_hash, broken_bytes, shared_key_of_nobody,
)  # fmt: skip


@pytest.fixture
async def proxy(open_line: Callable[..., Any], tmp_path: Path) -> AsyncIterator[str]:
    """The address of a real reverse proxy before a real door."""
    async with open_line(auth_tokens=[TOKEN, FORMER], public_url=PUBLIC) as opened:
        port = free_port()
        settings = tmp_path / "Caddyfile"
        settings.write_text(
            f"{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n reverse_proxy {opened.url}\n}}\n"
        )
        caddy = Path(sysconfig.get_path("scripts")) / "caddy"
        command = [str(caddy), "run", "--config", str(settings), "--adapter", "caddyfile"]
        process = await asyncio.to_thread(
            subprocess.Popen, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"HOME": str(tmp_path)}
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await asyncio.to_thread(process.wait)


@pytest.mark.storm
@pytest.mark.timeout(300)
async def test_no_forgery_is_taken_and_nothing_genuine_refused(proxy: str) -> None:
    """And no answer is a 500, whatever was sent."""
    chance = random.Random(SEED)
    answers: Counter[tuple[bool, int]] = Counter()
    wrong: list[str] = []
    async with httpx.AsyncClient(base_url=proxy, timeout=30) as client:
        await _up(client)

        async def caller(mutations: list[tuple[bool, Any, Webhook]]) -> None:
            for genuine, mutation, hook in mutations:
                status = (await client.post(**hook.sent())).status_code
                answers[genuine, status] += 1
                if (status == 204) != genuine or status >= 500:
                    wrong.append(f"{mutation.__name__}: {status}")

        await asyncio.gather(*(caller(each) for each in _dealt(chance)))
    taken, refused = answers[True, 204], sum(many for (genuine, _), many in answers.items() if not genuine)
    print(f"seed {SEED}: {taken} genuine taken, {refused} forged refused: {dict(answers)}")
    assert not wrong, (SEED, Counter(wrong))
    assert taken + refused == REQUESTS
    assert taken > 1000
    assert refused > 5000


def _dealt(chance: random.Random) -> list[list[tuple[bool, Any, Webhook]]]:
    """The requests, among 16 callers."""
    hands: list[list[tuple[bool, Any, Webhook]]] = [[] for _ in range(16)]
    for number in range(REQUESTS):
        genuine = number % 4 == 0
        mutation = chance.choice(GENUINE if genuine else FORGED)
        hook = fresh(chance)
        mutation(hook, chance)
        hands[number % len(hands)].append((genuine, mutation, hook))
    return hands


async def _up(client: httpx.AsyncClient) -> None:
    for _ in range(100):
        try:
            if (await client.get("/health/live")).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError("the proxy does not come up")
