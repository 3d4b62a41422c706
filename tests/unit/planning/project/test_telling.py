"""Telling GitHub: on a server that keeps issues and holds each request against the published description."""

from __future__ import annotations

import ssl
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from github_server import REPOSITORY, TOKEN, Fault, GitHub

from wsbuild.errors import UserError
from wsbuild.model import Workstream
from wsbuild.planning.project import github, telling
from wsbuild.planning.project.epics import find, read_epics
from wsbuild.planning.project.github import Call
from wsbuild.planning.project.standing import Standing
from wsbuild.planning.project.sync import Said
from wsbuild.planning.project.telling import Log, Project, Report, synchronize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = {
    "enabled": True,
    "repository": REPOSITORY,
    "labels": ["epic"],
    "timeout_sec": 20,
    "after_run": False,
}


def at(minute: int) -> str:
    """A time."""
    return f"2026-01-31T12:{minute:02d}:00Z"


class Desk:
    """A project with an epic of two tasks, and what was recorded."""

    def __init__(self, root: Path, server: GitHub) -> None:
        self.root = root
        self.server = server
        self.calls: list[Call] = []
        self.said: list[Said] = []
        self.stood: dict[str, list[Standing]] = {}
        self.workstreams: list[Workstream] = []
        self.environ = {"GITHUB_API_URL": server.url, "GITHUB_TOKEN": TOKEN}
        self.settings: dict[str, Any] = dict(SETTINGS)
        folder = root / ".claude/epics/check-out"
        folder.mkdir(parents=True)
        (folder / "epic.md").write_text("---\nname: Check out\nstatus: backlog\n---\n\nAn epic.\n")
        for number in (1, 2):
            text = f"---\nname: Task {number}\nstatus: open\ngithub: [later]\n---\n\n# Task {number}\n"
            (folder / f"00{number}.md").write_text(text)

    def stands(self, name: str, *words: str, reason: str = "") -> None:
        """What becomes of a workstream, a minute apart."""
        known = self.stood.setdefault(f"ws-{name}", [])
        known += [Standing(word, at(len(known) + n), "run-1", reason) for n, word in enumerate(words)]

    def tell(self, **settings: Any) -> Report:
        """Synchronize."""
        epics, problems = read_epics(str(self.root), find(str(self.root)))
        assert not problems
        project = Project(str(self.root), epics, self.workstreams, self.stood, list(self.said))
        log = Log(self.calls.append, self.said.append, lambda text: text.replace(TOKEN, "[redacted]"))
        return synchronize(project, {**self.settings, **settings}, self.environ, log)

    def page(self, name: str) -> str:
        """The text of a file of the epic."""
        return (self.root / f".claude/epics/check-out/{name}.md").read_text()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """A server; in the end nothing that was asked of it was wrong."""
    monkeypatch.setattr(github, "FIRST_PAUSE_S", 0.01)
    with GitHub() as server:
        yield server
    assert server.problems == []


@pytest.fixture
def desk(tmp_path: Path, server: GitHub) -> Desk:
    """A project."""
    return Desk(tmp_path, server)


def what(report: Report) -> list[tuple[str, int]]:
    """What was said, of which issue."""
    return [(row.what, row.issue) for row in report.rows]


def test_the_description_is_the_real_one(server: GitHub) -> None:
    """It knows what is wrong with a request; without it the small check does."""
    import openapi

    if not server.is_described:
        pytest.skip("@octokit/openapi is not installed (make tools): only the small check runs")
    path = f"/repos/{REPOSITORY}/issues"
    assert openapi.request_problems("POST", path, {}, {"title": "x", "body": "y", "labels": ["z"]}) == []
    for query, body in (
        ({}, {}),
        ({}, {"title": []}),
        ({}, {"title": "x", "text": "y"}),
        ({"x": "1"}, {"title": "x"}),
    ):
        assert openapi.request_problems("POST", path, query, body), (query, body)
    assert openapi.request_problems("PATCH", f"{path}/1", {}, {"state": "done"})
    assert openapi.request_problems("PATCH", f"{path}/x", {}, {"state": "open"})
    assert openapi.request_problems("PUT", path, {}, None)


def test_all_of_it_and_then_nothing(desk: Desk) -> None:
    """Issues, comments, labels, states, a list with ticks; asked again, not one request is sent."""
    desk.stands("check-out-001", "in-progress", "done")
    desk.stands("check-out-002", "in-progress", "failed", reason="static: `make` <!-- --> @everybody")
    report = desk.tell()
    assert (report.ended, report.message) == ("ok", "")
    issues, server = desk.server.issues, desk.server
    assert [issue["title"] for issue in issues.values()] == ["Task 1", "Task 2", "Check out"]
    assert [issue["state"] for issue in issues.values()] == ["closed", "open", "open"]
    assert [server.label_names(n) for n in issues] == [
        ["epic", "wsbuild:done"],
        ["epic", "wsbuild:failed"],
        ["epic", "wsbuild:failed"],
    ]
    assert "- [x] #1 Task 1\n- [ ] #2 Task 2\n" in issues[3]["body"]
    assert issues[3]["body"].startswith("An epic.\n")
    [comment] = server.comments[2]
    assert (
        "**failed** since 2026-01-31T12:01:00Z (`run-1`): `static: 'make' <!-- --> @everybody`"
        in comment["body"]
    )
    assert f"github: https://github.com/{REPOSITORY}/issues/2\n" in desk.page("002")
    assert desk.page("epic").startswith("---\nname: Check out\nstatus: backlog\ngithub: https://github.com/")
    assert len(desk.calls) == len(server.requests) == report.calls
    server.requests.clear()
    again = desk.tell()
    assert (again, server.requests) == (Report("ok", "", (), 0), [])


def test_what_changes_is_told_once(desk: Desk) -> None:
    """Each change since the last; labels follow, the issue is closed, and opened again."""
    desk.stands("check-out-001", "failed")
    desk.tell()
    desk.stands("check-out-001", "in-progress", "done")
    assert what(desk.tell()) == [("commented", 1), ("ticked", 3)]
    assert "in-progress" in desk.server.comments[1][1]["body"]
    assert "done" in desk.server.comments[1][1]["body"]
    assert desk.server.label_names(1) == ["epic", "wsbuild:done"]
    assert desk.server.issues[1]["state_reason"] == "completed"
    desk.stands("check-out-001", "failed")
    desk.tell()
    assert (desk.server.issues[1]["state"], desk.server.issues[1]["state_reason"]) == ("open", "reopened")
    assert desk.server.issues[3]["body"].count("- [ ] #1 ") == 1
    assert len(desk.server.comments[1]) == 3


def test_without_the_record_nothing_is_said_twice(desk: Desk) -> None:
    """Killed between a request and its record, or with a new history: what is there is found by its mark."""
    desk.stands("check-out-001", "failed")
    desk.tell()
    for name in ("001", "002", "epic"):
        path = desk.root / f".claude/epics/check-out/{name}.md"
        path.write_text(path.read_text().replace("https://github.com", "see https://github.com"))
    desk.said.clear()
    desk.server.page_size = 1
    report = desk.tell()
    assert report.ended == "ok"
    assert len(desk.server.issues) == 3
    assert len(desk.server.comments[1]) == 1
    assert len(desk.server.asked(r"^GET .*/issues$")) > 2


@pytest.mark.parametrize("kind", ["answer", "drop", "text"])
@pytest.mark.parametrize("path", ["issues$", "comments$"])
def test_what_was_done_without_an_answer_is_not_done_again(desk: Desk, path: str, kind: str) -> None:
    """It is looked for before it is sent again."""
    desk.stands("check-out-001", "failed")
    desk.server.fail(
        f"^POST .*/{path}", Fault(502 if kind == "answer" else 201, kind=kind, performed=True, body="{")
    )
    report = desk.tell()
    assert report.ended == "ok"
    assert len(desk.server.issues) == 3
    assert len(desk.server.comments[1]) == 1


MOMENTS = (
    *(Fault(500), Fault(502), Fault(kind="drop"), Fault(kind="short")),
    *(Fault(200, kind="text", body=body) for body in ("<html>", "[" * 100_000)),
)
PATHS = ("POST .*/issues$", "GET .*/issues$", "GET .*/comments$", "PATCH ", "POST .*/labels$")


@pytest.mark.parametrize("fault", MOMENTS)
@pytest.mark.parametrize("path", PATHS)
def test_a_server_that_fails_for_a_moment(desk: Desk, path: str, fault: Fault) -> None:
    """Is asked again, after a pause; each request is recorded."""
    desk.stands("check-out-001", "failed", "done")
    desk.server.fail(f"^{path}", fault, fault)
    report = desk.tell()
    assert (report.ended, report.message) == ("ok", "")
    assert len(desk.server.issues) == 3
    assert len(desk.calls) == len(desk.server.requests)
    assert sum(call.outcome != "ok" for call in desk.calls) == 2


def test_a_server_that_goes_on_failing(desk: Desk) -> None:
    """Is left alone after four tries; the next synchronization goes on."""
    desk.stands("check-out-001", "failed")
    desk.server.fail("^GET .*/comments", *[Fault(503, "Service Unavailable")] * 4)
    report = desk.tell()
    assert report.ended == "failed"
    assert "503 Service Unavailable" in report.message
    assert [call.outcome for call in desk.calls if "comments" in call.path] == ["retried"] * 3 + ["failed"]
    assert desk.server.comments[1] == []
    assert desk.tell().ended == "ok"
    assert len(desk.server.comments[1]) == 1


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_the_time_limit_holds(desk: Desk, kind: str) -> None:
    """Whatever the server does."""
    desk.server.fail("^GET ", *[Fault(kind=kind)] * 9)
    start = time.monotonic()
    report = desk.tell(timeout_sec=0.6)
    assert time.monotonic() - start < 2
    assert report.ended == "later"
    assert "timeout_sec" in report.message


def test_nobody_is_there(desk: Desk) -> None:
    """A connection that is refused is a failure, and recorded."""
    desk.environ["GITHUB_API_URL"] = "http://127.0.0.1:9"
    report = desk.tell()
    assert report.ended == "failed"
    assert "refused" in report.message
    assert len(desk.calls) == 4


RESET = (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "4102444800"))


@pytest.mark.parametrize(
    "fault",
    [
        Fault(403, "API rate limit exceeded", RESET),
        Fault(429, "You have exceeded a secondary rate limit", (("Retry-After", "3600"),)),
        Fault(403, "You have exceeded a secondary rate limit. Please wait a few minutes"),
        Fault(429, ""),
    ],
)
def test_a_limit_that_lasts_is_not_waited_for(desk: Desk, fault: Fault) -> None:
    """It is told as later, after one request."""
    desk.server.fail(".", fault)
    start = time.monotonic()
    report = desk.tell()
    assert time.monotonic() - start < 2
    assert (report.ended, report.calls, desk.calls[0].outcome) == ("later", 1, "later")
    assert "GitHub wants no request for" in report.message
    assert desk.tell().ended == "ok"


def test_a_limit_that_is_over_soon_is_waited_for(desk: Desk) -> None:
    """By the server's clock; and what it refused is sent again without being looked for."""
    now = (
        ("X-RateLimit-Remaining", "0"),
        ("X-RateLimit-Reset", "1000000001"),
        ("Date", "Sun, 09 Sep 2001 01:46:40 GMT"),
    )
    desk.server.fail(
        "^POST .*/issues$",
        Fault(403, "API rate limit exceeded", now),
        Fault(429, "", (("Retry-After", "0"),)),
    )
    start = time.monotonic()
    assert desk.tell().ended == "ok"
    assert time.monotonic() - start > 0.9
    assert len(desk.server.issues) == 3


def test_a_limit_that_does_not_end(desk: Desk) -> None:
    """Is given up."""
    desk.server.fail(".", *[Fault(429, "", (("Retry-After", "0"),))] * 9)
    report = desk.tell()
    assert (report.ended, report.calls) == ("later", 4)


@pytest.mark.parametrize(
    ("status", "words"), [(401, "does not accept the token"), (403, "the token may not do that")]
)
def test_without_the_right_nothing_more_is_asked(desk: Desk, status: int, words: str) -> None:
    """And it says what the token needs."""
    desk.server.fail("^POST ", *[Fault(status, "No")] * 9)
    report = desk.tell()
    assert report.ended == "failed"
    assert words in report.message
    assert "help:" in report.message
    assert len(desk.server.asked("^POST ")) == 1


@pytest.mark.parametrize("status", [404, 410, 422])
def test_what_is_wrong_with_one_issue_keeps_no_other_waiting(desk: Desk, status: int) -> None:
    """It is told, and tried again the next time."""
    desk.stands("check-out-001", "failed")
    desk.stands("check-out-002", "failed")
    desk.server.fail("^GET .*/issues/1$", Fault(status, "Gone for now"))
    report = desk.tell()
    assert report.ended == "failed"
    assert f"task ws-check-out-001: GET /repos/{REPOSITORY}/issues/1: {status} Gone for now" in report.message
    assert len(desk.server.comments[2]) == 1
    assert "- [ ] #2 Task 2" in desk.server.issues[3]["body"]
    assert desk.tell().ended == "ok"
    assert len(desk.server.comments[1]) == 1


def test_a_label_that_somebody_took_away_meanwhile(desk: Desk) -> None:
    """Is no failure."""
    desk.stands("check-out-001", "failed")
    desk.tell()
    desk.stands("check-out-001", "done")
    desk.server.fail("^DELETE ", Fault(404, "Label does not exist"))
    assert desk.tell().ended == "ok"


def test_a_label_that_is_there(desk: Desk) -> None:
    """Is not made again."""
    desk.server.labels |= {"wsbuild:failed"}
    desk.stands("check-out-001", "failed")
    assert desk.tell().ended == "ok"
    assert desk.server.label_names(1) == ["epic", "wsbuild:failed"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_repository_that_has_moved(desk: Desk, status: int) -> None:
    """The request is sent to where it is now, as it was, with the token."""
    desk.stands("check-out-001", "failed")
    for path in ("/issues", "/issues/1"):
        target = (("Location", f"{desk.server.url}/repos/{REPOSITORY}{path}"),)
        desk.server.fail(f" .*{path}$", Fault(status, "Moved", target))
    target = (("Location", f"/repos/{REPOSITORY}/issues"),)
    desk.server.fail("^POST .*/issues$", Fault(status, "Moved", target))
    assert desk.tell().ended == "ok"
    assert {request.headers["authorization"] for request in desk.server.requests} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_server_gets_neither_the_token_nor_the_text(desk: Desk, method: str) -> None:
    """Even if the server says that it has moved there."""
    with GitHub() as other:
        target = (("Location", f"{other.url}/repos/{REPOSITORY}/issues"),)
        desk.server.fail(f"^{method} .*/issues$", *[Fault(307, "Moved", target)] * 9)
        report = desk.tell()
        assert report.ended == "failed"
        assert f"would be sent on to {other.url.removeprefix('http://')}" in report.message
        assert other.requests == []


def test_a_redirection_without_end(desk: Desk) -> None:
    """Is given up."""
    desk.server.fail("^GET", *[Fault(302, "Moved", (("Location", "/repos/x/y/issues"),))] * 99)
    desk.server.problems.clear()
    report = desk.tell()
    desk.server.problems.clear()
    assert report.ended == "failed"
    assert "on and on" in report.message


def test_a_next_page_elsewhere_is_not_asked_for(desk: Desk) -> None:
    """The token stays here."""
    with GitHub() as other:
        link = (("Link", f'<{other.url}/repos/{REPOSITORY}/issues?page=2>; rel="next"'),)
        desk.server.fail("^GET .*/issues$", Fault(200, kind="text", body="[]", headers=link))
        assert desk.tell().ended == "ok"
        assert other.requests == []


@pytest.mark.parametrize("body", ["{}", "[1]", '[{"number": "x"}]', '[{"body": 3}]', "null", '"x"', ""])
def test_an_answer_that_is_something_else(desk: Desk, body: str) -> None:
    """Is a failure, and no crash."""
    desk.server.fail("^GET .*/issues$", *[Fault(200, kind="text", body=body)] * 99)
    desk.server.fail("^POST .*/issues$", *[Fault(201, kind="text", body=body)] * 99)
    report = desk.tell()
    assert report.ended == "failed"
    assert "the server's answer is no" in report.message


def test_the_token_is_nowhere(desk: Desk) -> None:
    """Not in what the server repeats, nor in what is kept."""
    desk.server.fail("^GET", *[Fault(422, f"bad: Bearer {TOKEN}")] * 9)
    report = desk.tell()
    assert report.ended == "failed"
    assert TOKEN not in repr(report)
    desk.stands("check-out-001", "failed", reason=f"said {TOKEN}")
    desk.server._faults.clear()
    desk.tell()
    assert TOKEN not in repr([desk.server.issues, desk.server.comments, desk.said])


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"GITHUB_TOKEN": "", "GH_TOKEN": " "}, "no token in GITHUB_TOKEN or GH_TOKEN"),
        ({"GITHUB_TOKEN": "s3cret\nX: y"}, "GITHUB_TOKEN holds something that is no token"),
        ({"GITHUB_TOKEN": "s3cret-é"}, "GITHUB_TOKEN holds something that is no token"),
        ({"GITHUB_API_URL": "http://example.org"}, "is no https address"),
        ({"GITHUB_API_URL": "https://s3cret:x@example.org"}, "is no address of an API"),
        ({"GITHUB_API_URL": "ftp://example.org"}, "is no https address"),
        ({"GITHUB_API_URL": "https://"}, "is no address of an API"),
        ({"GITHUB_API_URL": "https://[::1"}, "is no address"),
        ({"GITHUB_API_URL": "https://example.org:port"}, "is no address"),
    ],
)
def test_what_is_wrong_around_it(desk: Desk, environ: dict[str, str], words: str) -> None:
    """Is told before anything is asked, without what may be secret."""
    desk.environ |= environ
    with pytest.raises(UserError, match=words) as error:
        desk.tell()
    assert "s3cret" not in str(error.value)
    assert desk.server.requests == []


def test_the_other_variable(desk: Desk) -> None:
    """`GH_TOKEN`, where the first has none."""
    desk.environ |= {"GITHUB_TOKEN": "", "GH_TOKEN": f"{TOKEN}\n"}
    assert desk.tell().ended == "ok"


@pytest.mark.parametrize(
    "name", ["", "shop", "octo/", "octo/..", "octo/shop/x", "octo/sh op", "../x", "octo/shöp"]
)
def test_a_repository_that_is_none(desk: Desk, name: str) -> None:
    """Is told, and nothing asked."""
    with pytest.raises(UserError, match=r"github\.repository"):
        desk.tell(repository=name)


def test_issues_that_bundles_name(desk: Desk) -> None:
    """Are told of all their workstreams, and closed when all are done; what names none is left alone."""
    for name in ("001", "002", "epic"):
        (desk.root / f".claude/epics/check-out/{name}.md").unlink()
    first, second = desk.server.issue(), desk.server.issue(labels=["mine", "wsbuild:blocked"])
    there = f"https://github.com/{REPOSITORY.upper()}/issues/{second}"
    other = "https://github.com/other/repo/issues/1"
    named = {"a": str(first), "b": f"#{second}", "c": there}
    none = {"d": "TBD", "e": "N/A", "f": other, "g": "", "h": "0"}
    place: dict[str, Any] = {"source": "x", "pointer": "", "line": 1, "openspec_change": "", "gate": 1}
    for name, issue in {**named, **none}.items():
        ws = Workstream(id=f"ws-{name}", ccpm_issue=issue, files_scope=("x",), **place)
        desk.workstreams.append(ws)
        if name != "c":
            desk.stands(name, "done")
    assert what(desk.tell()) == [("commented", first), ("commented", second)]
    assert desk.server.issues[first]["state"] == "closed"
    assert desk.server.issues[second]["state"] == "open"
    assert desk.server.label_names(second) == ["mine", "wsbuild:in-progress"]
    desk.stands("c", "done")
    desk.tell()
    assert desk.server.issues[second]["state"] == "closed"
    assert desk.server.issues[first]["title"] == "Mine"


def test_a_file_that_cannot_say_its_issue(desk: Desk) -> None:
    """Is told; the issue is known all the same, and made once."""
    path = desk.root / ".claude/epics/check-out/001.md"
    path.write_text("---\nname: Task 1\ngithub: >\n  later\n---\n")
    report = desk.tell()
    assert report.ended == "failed"
    assert "001.md" in report.message
    assert len(desk.server.issues) == 3
    assert path.read_text() == "---\nname: Task 1\ngithub: >\n  later\n---\n"
    desk.tell()
    assert len(desk.server.issues) == 3


def test_an_issue_of_another_repository(desk: Desk) -> None:
    """Is somebody else's: nothing is said there, and none made in its place."""
    path = desk.root / ".claude/epics/check-out/001.md"
    text = path.read_text().replace("[later]", "https://github.com/other/repo/issues/5")
    path.write_text(text)
    desk.stands("check-out-001", "failed")
    assert what(desk.tell()) == [("created", 1), ("created", 2), ("ticked", 2)]
    assert path.read_text() == text
    assert desk.tell() == Report("ok", "", (), 0)
    epic = desk.root / ".claude/epics/check-out/epic.md"
    epic.write_text("---\nname: x\ngithub: https://github.com/other/repo/issues/4\n---\n")
    assert desk.tell() == Report("ok", "", (), 0)


def _certificate(folder: Path) -> tuple[str, str]:
    key, cert = str(folder / "key.pem"), str(folder / "cert.pem")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert)
    words = ["openssl", "req", *made, *subject]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not there")
    return key, cert


def test_by_tls(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for is told, once, and gets no token; one that is trusted is fine."""
    key, cert = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with GitHub(context) as server:
        desk.environ["GITHUB_API_URL"] = server.url
        report = desk.tell()
        assert report.ended == "failed"
        assert "no trust in 127.0.0.1:" in report.message
        assert "self-signed certificate" in report.message
        assert "SSL_CERT_FILE" in report.message
        assert (server.requests, len(desk.calls)) == ([], 1)
        monkeypatch.setenv("SSL_CERT_FILE", cert)
        assert desk.tell().ended == "ok"
        assert len(server.issues) == 3
        assert server.problems == []
        with GitHub(context) as other:
            target = (("Location", f"{other.url}/repos/{REPOSITORY}/issues/1"),)
            server.fail("^GET .*/issues/1$", Fault(302, "Moved", target))
            desk.stands("check-out-001", "failed")
            assert desk.tell().ended == "failed"
            assert [request.headers.get("authorization") for request in other.requests] == [None]


def test_a_server_that_speaks_no_tls(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    desk.environ["GITHUB_API_URL"] = desk.server.url.replace("http:", "https:")
    report = desk.tell()
    assert report.ended == "failed"
    assert "no trust in" in report.message


def test_texts_that_are_too_long(desk: Desk) -> None:
    """Are cut, and keep their mark."""
    path = desk.root / ".claude/epics/check-out/001.md"
    path.write_text(f"---\nname: {'t' * 300}\n---\n{'x' * 90_000}\n")
    assert desk.tell().ended == "ok"
    assert len(desk.server.issues[1]["body"]) < 65_536
    assert len(desk.server.issues[1]["title"]) == 256
    desk.said.clear()
    path.write_text(path.read_text().replace("\ngithub:", "\nold:"))
    desk.tell()
    assert len(desk.server.issues) == 3


def test_what_is_pending(desk: Desk) -> None:
    """Is known without a request."""
    desk.stands("check-out-001", "failed")
    epics, _ = read_epics(str(desk.root), find(str(desk.root)))
    project = Project(str(desk.root), epics, [], desk.stood, [])
    found = telling.pending(project, REPOSITORY)
    assert [due.target.key for due in found.tasks] == ["task ws-check-out-001", "task ws-check-out-002"]
    assert [due.word for due in found.tasks] == ["failed", ""]
    assert [epic.target.key for epic in found.epics] == ["epic .claude/epics/check-out"]
    assert desk.server.requests == []
