"""Every promise of the bindings, in Python; `Checks.kt` makes the same checks in Kotlin.

    checks.py FOLDER URL ADDR OTHER ROOT SECONDS          says the name of every check that holds
    checks.py dump FOLDER URL ADDR ROOT SECONDS           says all that a refresh and a look answer, as JSON

ADDR is a tenant without optional programs, OTHER one that has `com.example.inspection` as an optional one.
"""

import enum
import json
import os
import pathlib
import sys
import threading
import time
import urllib.error
import urllib.request

import tenantry_client as tenantry
from tenantry_client import Activated, Client, ClientError, Config, Freshness, Retry, TransportError, Verdict

DAY = 24 * 60 * 60


class Http(tenantry.Transport):
    """The shell's own HTTP. `came` hears of every piece."""

    def __init__(self, base_url, came=lambda length: None):
        self.base_url = base_url
        self.came = came

    def get(self, request):
        headers = {"Accept-Encoding": "identity"}
        if request.if_none_match is not None:
            headers["If-None-Match"] = request.if_none_match
        try:
            url = f"{self.base_url}/{request.path}"
            answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30)
        except urllib.error.HTTPError as error:
            match error.code:
                case 304:
                    return tenantry.Reply.NOT_MODIFIED()
                case 404:
                    return tenantry.Reply.MISSING()
                case status:
                    raise TransportError.Server(status) from error
        length = answer.headers["Content-Length"]
        return tenantry.Reply.FOUND(0, answer.headers["ETag"], length and int(length), Body(answer, self.came))


class Body(tenantry.ByteSource):
    def __init__(self, answer, came):
        self.answer = answer
        self.came = came

    def read(self, most):
        piece = self.answer.read(most)
        self.came(len(piece))
        return piece


class Fails(tenantry.Transport):
    """Always the same failure."""

    def __init__(self, error):
        self.error = error

    def get(self, request):
        raise self.error


class FailsLater(tenantry.Transport):
    """A body that fails after its first bytes."""

    def __init__(self, error):
        self.error = error

    def get(self, request):
        if "root" in request.path:
            return tenantry.Reply.MISSING()
        return tenantry.Reply.FOUND(0, None, 1000, BreaksOff(self.error))


class BreaksOff(tenantry.ByteSource):
    def __init__(self, error):
        self.error = error
        self.is_first = True

    def read(self, most):
        if self.is_first:
            self.is_first = False
            return b"{"
        raise self.error


class Site:
    def __init__(self, folder, url, addr, other, root, seconds):
        self.folder = pathlib.Path(folder)
        self.url = url
        self.addr = addr
        self.other = other
        self.root = pathlib.Path(root).read_bytes()
        self.now = int(seconds)

    def config(self, name, **more):
        """The configuration of a device of this name."""
        folder = str(self.folder / name)
        usual = {"dir": folder, "base_url": self.url, "addr": self.addr, "trusted_root": self.root, "platform_code": 12}
        return Config(**(usual | more))

    def installed(self, name, **more):
        """A client with something installed."""
        client = Client.open(self.config(name, **more))
        client.refresh(self.now)
        assert isinstance(client.activate(), Activated.SWITCHED)
        return client


def failure(call, *arguments):
    """The error that a call ends with."""
    try:
        call(*arguments)
    except ClientError.Failed as error:
        return error
    raise AssertionError("it did not fail")


def a_client_says_whose_it_is(site):
    client = Client.open(site.config("whose"))
    assert (client.addr(), client.environment()) == (site.addr, "production")


def a_configuration_that_cannot_be_used_is_never_tried_again(site):
    for more in [{"addr": "nonsense"}, {"trusted_root": b"{}"}, {"base_url": "http://192.0.2.1/"}]:
        error = failure(Client.open, site.config("configuration", **more))
        field = next(iter(more))
        assert (error.code, error.retry) == ("configuration", Retry.NEVER), error
        assert field in error.what and error.help, error
        assert (error.kept.set, error.kept.publication) == (None, None), error


def a_shell_brings_its_own_http(site):
    came = []
    client = Client.open_over(site.config("own-http", base_url=""), Http(site.url, came.append))
    update = client.refresh(site.now)
    assert len(update.gained) == 4 and update.staged is not None, update
    assert sum(came) == update.traffic.bytes > 0, update
    # The timestamp is asked for with its ETag, and nothing else.
    assert client.refresh(site.now).traffic.bytes == 0


def a_failure_of_the_shells_http_has_its_code(site):
    for number, (raised, code, said) in enumerate([
        (TransportError.Unreachable("aeroplane mode"), "unreachable", "aeroplane mode"),
        (TransportError.Slow(), "too-slow", "slowly"),
        (TransportError.Server(503), "server", "503"),
        (TransportError.Elsewhere("https://portal.example.com/"), "redirected", "portal.example.com"),
        (TransportError.Useless("a login page"), "not-our-server", "a login page"),
        (ValueError("a mistake of the shell's"), "unreachable", "a mistake of the shell's"),
    ]):
        client = Client.open_over(site.config(f"failing-http-{number}"), Fails(raised))
        error = failure(client.refresh, site.now)
        assert (error.code, error.retry) == (code, Retry.LATER) and said in error.what, error
    for number, (raised, code) in enumerate([
        (TransportError.Slow(), "too-slow"),
        (TransportError.Unreachable("the tunnel"), "cut-short"),
        (ValueError("a mistake of the shell's"), "cut-short"),
    ]):
        client = Client.open_over(site.config(f"failing-body-{number}"), FailsLater(raised))
        assert failure(client.refresh, site.now).code == code


def a_look_does_not_wait_for_a_refresh(site):
    site.installed("look")
    asked, looked = threading.Event(), threading.Event()

    class Waits(Http):
        def get(self, request):
            asked.set()
            assert looked.wait(60), "the look waited for the refresh"
            return super().get(request)

    client = Client.open_over(site.config("look"), Waits(site.url))
    updates = []
    refresh = threading.Thread(target=lambda: updates.append(client.refresh(site.now)))
    refresh.start()
    assert asked.wait(60)
    runs = [program.app_id for program in client.look(site.now).runnable()]
    looked.set()
    refresh.join()
    assert len(runs) == 4 and len(updates) == 1, (runs, updates)


def calls_from_many_threads_wait_for_each_other(site):
    client = Client.open(site.config("threads"))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(client.refresh(site.now))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(update.gained) for update in answers] == [4] * 8


def a_second_client_of_a_folder_only_looks(site):
    first = site.installed("two")
    second = Client.open(site.config("two"))
    error = failure(second.refresh, site.now)
    assert (error.code, error.retry, error.kept.publication) == ("busy", Retry.LATER, 1), error
    assert len(second.start(site.now).runnable()) == 4
    assert first.refresh(site.now).publication == 1


def any_number_is_a_time(site):
    client = site.installed("clock")
    # Before the year 1970 nothing was issued: the client knows better.
    for seconds in [-(2**63), -1, 0, site.now]:
        assert isinstance(client.look(seconds).freshness, Freshness.FRESH), seconds
    week = client.look(site.now + 8 * DAY).freshness
    assert isinstance(week, Freshness.GRACE) and week.until - week.since == 14 * DAY, week
    over = client.look(2**63 - 1).freshness
    assert isinstance(over, Freshness.OVER) and over.strategy == tenantry.ExpirationStrategy.RESTRICT, over
    assert abs(tenantry.system_clock() - time.time()) < 60


def optional_programs_come_when_they_are_asked_for(site):
    app_id = "com.example.inspection"

    def verdict(client):
        return next(it for it in client.look(site.now).programs if it.app_id == app_id).verdict

    client = site.installed("optional", addr=site.other)
    assert verdict(client) == Verdict.NOT_INSTALLED()
    client.install(app_id)
    assert verdict(client) == Verdict.RUNS()
    error = failure(client.install, "com.example.nonsense")
    assert (error.code, error.retry, error.kept.publication) == ("unknown-program", Retry.NEVER, 1), error
    eager = site.installed("eager", addr=site.other, on_demand=tenantry.OnDemand.FETCHED)
    assert verdict(eager) == Verdict.RUNS()


def limits_that_are_given_hold(site):
    limits = tenantry.Limits(max_manifest=100)
    error = failure(Client.open(site.config("limits", limits=limits)).refresh, site.now)
    assert error.code == "manifest" and "more than this shell reads" in error.what, error


def starts_are_counted_until_one_is_confirmed(site):
    client = site.installed("starts")
    assert failure(client.confirm_start).code == "not-started"
    assert [client.start(site.now).failed_starts for _ in range(2)] == [0, 1]
    client.confirm_start()
    assert client.start(site.now).failed_starts == 0
    assert client.activate() == Activated.NOTHING_STAGED()


def a_page_is_found_and_nothing_outside(site):
    programs = site.installed("pages").look(site.now).programs
    inspection = next(it for it in programs if it.app_id == "com.example.inspection")
    page = pathlib.Path(inspection.file("pages/index.html"))
    assert page.is_file() and page.is_relative_to(inspection.folder), page
    [own] = [it.relative_to(inspection.overlay).as_posix() for it in pathlib.Path(inspection.overlay).rglob("*.json")]
    assert pathlib.Path(inspection.file(own)).is_relative_to(inspection.overlay), own
    for path in ["", "/etc/hosts", "../../current", "pages/../../x", "pages", "nothing.html"]:
        assert inspection.file(path) is None, path


def texts_in_json_are_json(site):
    start = site.installed("json").start(site.now)
    assert json.loads(start.branding)["name"] == "Umbra"
    assert json.loads(start.entitlements) and json.loads(start.limits)
    inspection = next(it for it in start.programs if it.app_id == "com.example.inspection")
    assert json.loads(inspection.ext)["checklist_title"] == "Sopralluogo"
    assert pathlib.Path(inspection.overlay).is_dir()


def buckets_are_those_that_are_published(site):
    vectors = json.loads(pathlib.Path(os.environ["VECTORS"]).read_text(encoding="utf-8"))["vectors"]
    assert len(vectors) > 20
    for it in vectors:
        assert tenantry.bucket(it["addr"], it["unit"]) == it["bucket"], it
    # Whoever is named is counted by that name.
    site.installed("named", unit="device-1")
    assert not (site.folder / "named" / "device.json").exists()


CHECKS = [
    a_client_says_whose_it_is,
    a_configuration_that_cannot_be_used_is_never_tried_again,
    a_shell_brings_its_own_http,
    a_failure_of_the_shells_http_has_its_code,
    a_look_does_not_wait_for_a_refresh,
    calls_from_many_threads_wait_for_each_other,
    a_second_client_of_a_folder_only_looks,
    any_number_is_a_time,
    optional_programs_come_when_they_are_asked_for,
    limits_that_are_given_hold,
    starts_are_counted_until_one_is_confirmed,
    a_page_is_found_and_nothing_outside,
    texts_in_json_are_json,
    buckets_are_those_that_are_published,
]


def plain(value):
    """A value of the bindings as JSON knows it; of an enum with fields, its kind and those."""
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, list):
        return [plain(it) for it in value]
    if type(value).__module__ != tenantry.__name__:
        return value
    fields = {name: plain(it) for name, it in vars(value).items()}
    if "." in type(value).__qualname__:
        fields["kind"] = type(value).__name__.rpartition(".")[2].lower()
    return fields


def dump(folder, url, addr, root, seconds):
    site = Site(folder, url, addr, addr, root, seconds)
    client = Client.open(site.config("dump"))
    print(json.dumps(plain(client.refresh(site.now))))
    print(json.dumps(plain(client.activate())))
    print(json.dumps(plain(client.look(site.now))))


if __name__ == "__main__":
    if sys.argv[1] == "dump":
        dump(*sys.argv[2:])
    else:
        for check in CHECKS:
            check(Site(*sys.argv[1:]))
            print(check.__name__)
