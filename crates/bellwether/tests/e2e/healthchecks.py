"""A project of Healthchecks as a program of its users sees it, through the client that they have from PyPI.

Arguments: where the server is, the key that writes, the key that reads, the key of pings. Every assertion is the
test's: it ends with a traceback where one does not hold.
"""

import sys
import time

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    CheckTrap,
    CheckUpdate,
    Client,
    HCAPIAuthError,
    NonUniqueSlugError,
)

SITE, WRITE, READ, PING = sys.argv[1:]


def client(key):
    return Client(
        api_key=key, ping_key=PING, api_url=f"{SITE}/api/", ping_url=f"{SITE}/ping/", api_version=1
    )


def refused(kind, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind:
        return
    raise AssertionError(f"{call.__name__} was not refused")


def until(what, is_so):
    """What the server decides is decided a moment later."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        seen = what()
        if is_so(seen):
            return seen
        time.sleep(0.02)
    raise AssertionError(f"it did not become so: {what()}")


hc = client(WRITE)
assert hc.get_checks() == []
wish = CheckCreate(name="Nightly Backup", tags="prod db", desc="what it does", timeout=3600, grace=600)
check = hc.create_check(wish)
assert (check.name, check.slug, check.tags, check.status) == ("Nightly Backup", "nightly-backup", "prod db", "new")
assert (check.timeout, check.grace, check.n_pings, check.last_ping) == (3600, 600, 0, None)
assert check.ping_url == f"{SITE}/ping/{check.uuid}", check.ping_url
again = hc.create_check(wish.model_copy(update={"unique": ["name"], "grace": 900}))
assert (again.uuid, again.grace) == (check.uuid, 900)
changed = hc.update_check(check.uuid, CheckUpdate(desc="something else"))
assert (changed.desc, changed.name, changed.grace) == ("something else", "Nightly Backup", 900)
cron = hc.create_check(CheckCreate(name="Weekly", tags="prod", schedule="0 3 * * 1", tz="Europe/Berlin"))
assert cron.timeout is None
assert [one.name for one in hc.get_checks(tags=["prod"])] == ["Nightly Backup", "Weekly"]
assert [one.name for one in hc.get_checks(tags=["prod", "db"])] == ["Nightly Backup"]

assert hc.start_ping(uuid=check.uuid) == (True, "OK")
assert hc.get_check(check.uuid).status == "started"
assert hc.success_ping(slug="nightly-backup", data="it went well") == (True, "OK")
until(lambda: hc.get_check(check.uuid), lambda seen: seen.status == "up")
assert hc.exit_code_ping(3, uuid=check.uuid) == (True, "OK")
until(lambda: hc.get_check(check.uuid), lambda seen: seen.status == "down")
with CheckTrap(hc, uuid=check.uuid):
    pass
up = until(lambda: hc.get_check(check.uuid), lambda seen: seen.status == "up")
assert up.n_pings == 5 and up.last_ping is not None and up.next_ping > up.last_ping
pings = hc.get_check_pings(check.uuid)
assert [ping.type for ping in pings] == ["success", "start", "fail", "success", "start"], pings
assert [ping.number_of_pings for ping in pings] == [5, 4, 3, 2, 1]
assert pings[0].duration is not None and pings[2].duration is None
assert pings[0].user_agent.startswith("py-healthchecks.io/")
flips = until(
    lambda: hc._client.get(f"{SITE}/api/v1/checks/{check.uuid}/flips/").json()["flips"],
    lambda flips: len(flips) == 3,
)
assert [flip["up"] for flip in flips] == [1, 0, 1], flips

assert hc.pause_check(check.uuid).status == "paused"
assert [one.name for one in hc.get_integrations()] == ["ops"]
badges = hc.get_badges()
assert sorted(badges) == ["*", "db", "prod"]
assert hc._client.get(str(badges["prod"].svg)).headers["content-type"] == "image/svg+xml"
assert hc._client.get(str(badges["*"].json_url)).json()["total"] == 2

reader = client(READ)
seen = reader.get_checks()[0]
assert seen.ping_url is None and seen.uuid is None and len(seen.unique_key) == 40
assert reader.get_check(seen.unique_key).name == "Nightly Backup"
refused(HCAPIAuthError, reader.create_check, wish)
refused(HCAPIAuthError, reader.get_check_pings, check.uuid)
refused(HCAPIAuthError, client("x" * 32).get_checks)
refused(BadAPIRequestError, hc.create_check, CheckCreate(name="x" * 101))
refused(CheckNotFoundError, hc.get_check, "728b3763-ea80-4113-9fc0-f49b4adb226e")
refused(CheckNotFoundError, hc.success_ping, slug="nobody")
twin = hc.create_check(CheckCreate(name="nightly backup"))
refused(NonUniqueSlugError, hc.success_ping, slug="nightly-backup")

for one in (check, cron, twin):
    assert hc.delete_check(one.uuid).name == one.name
refused(CheckNotFoundError, hc.get_check, check.uuid)
assert hc.get_checks() == []
