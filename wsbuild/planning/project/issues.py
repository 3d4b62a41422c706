"""What is done to the issues of one repository. What wsbuild says there carries a mark that nobody sees, by
which it is found again: so nothing is said twice, even when nobody remembers that it was said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

from wsbuild.planning.project.github import RETRIES, ApiError, UnsureError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from wsbuild.planning.project.github import Api

T = TypeVar("T")

MOST_PAGES = 20
"""How far back issues and comments are looked through: 100 are on a page."""
MOST_TEXT = 60_000
"""Characters of a text; GitHub takes 65,536."""
PREFIX = "wsbuild:"
"""What the names of its labels begin with."""
COLORS = {"in-progress": "fbca04", "done": "0e8a16", "failed": "d73a4a", "blocked": "b60205"}

_MARK = re.compile(r"<!-- wsbuild:([^\s>]+) -->")


class Remote(NamedTuple):
    """An issue as it is there."""

    number: int
    url: str
    title: str
    body: str
    is_open: bool
    labels: tuple[str, ...]


def mark(*words: str) -> str:
    """The mark of what is said: a comment that Markdown does not show."""
    return f"<!-- wsbuild:{':'.join(quote(word, safe='') for word in words)} -->"


def marked(text: str, *notes: str) -> str:
    """A text, as long as may be, with marks at its end."""
    return f"{text[:MOST_TEXT].rstrip()}\n\n{' '.join(notes)}\n"


def marks(text: str) -> set[str]:
    """The marks in a text."""
    return {found[0] for found in _MARK.finditer(text)}


def _remote(data: Any) -> Remote:
    """What GitHub says of an issue. Raises ApiError."""
    try:
        labels = [each if isinstance(each, str) else each.get("name") for each in data.get("labels") or ()]
        return Remote(
            int(data["number"]),
            str(data.get("html_url") or ""),
            str(data.get("title") or ""),
            str(data.get("body") or ""),
            data.get("state") != "closed",
            tuple(str(name) for name in labels),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ApiError("the server's answer is no issue") from error


class Issues:
    """The issues of `repository` (`owner/name`)."""

    def __init__(self, api: Api, repository: str) -> None:
        self._api = api
        self._path = f"/repos/{repository}"
        self._listed: dict[str, Remote] | None = None

    def _made(self, find: Callable[[], T | None], make: Callable[[], T]) -> T:
        """What is there, or is made; where nobody knows whether it was made, it is looked for again."""
        number = 0
        while True:
            found = find()
            if found is not None:
                return found
            try:
                return make()
            except UnsureError:
                number += 1
                if number > RETRIES:
                    raise
                self._api.pause(number)

    def get(self, number: int) -> Remote:
        """An issue. Raises ApiError."""
        return _remote(self._api.ask("GET", f"{self._path}/issues/{number}"))

    def _all(self, *, anew: bool) -> dict[str, Remote]:
        """The issues that carry a mark, by their marks; of several the oldest."""
        if self._listed is None or anew:
            query = {"state": "all", "sort": "created", "direction": "desc"}
            self._listed = {}
            for row in self._api.pages(f"{self._path}/issues", query, MOST_PAGES):
                if isinstance(row, dict) and "pull_request" not in row:
                    remote = _remote(row)
                    self._listed |= dict.fromkeys(marks(remote.body), remote)
        return self._listed

    def create(self, title: str, body: str, note: str, labels: Sequence[str]) -> Remote:
        """The issue with the mark `note`, made where there is none. Raises ApiError."""
        sent: dict[str, Any] = {"title": title[:256], "body": marked(body, note)}
        sent |= {"labels": list(labels)} if labels else {}
        looked = False

        def find() -> Remote | None:
            nonlocal looked
            found, looked = self._all(anew=looked).get(note), True
            return found

        def make() -> Remote:
            return _remote(self._api.ask("POST", f"{self._path}/issues", sent, again=False))

        made = self._made(find, make)
        if self._listed is not None:
            self._listed[note] = made
        return made

    def comment(self, number: int, lines: Sequence[tuple[str, str]], since: str) -> None:
        """Say lines, each with its mark, in one comment; but not those that are said, since a UTC time.

        Raises ApiError.
        """
        path = f"{self._path}/issues/{number}/comments"
        left: list[tuple[str, str]] = []

        def find() -> bool | None:
            rows = self._api.pages(path, {"since": since}, MOST_PAGES)
            there = [marks(str(row.get("body"))) for row in rows if isinstance(row, dict)]
            left[:] = [(line, note) for line, note in lines if not any(note in each for each in there)]
            return None if left else True

        def make() -> bool:
            text = "\n".join(line for line, _ in left)
            self._api.ask("POST", path, {"body": marked(text, *(note for _, note in left))}, again=False)
            return True

        self._made(find, make)

    def label(self, issue: Remote, word: str) -> None:
        """Give an issue the label for a word, and take those for others away. Raises ApiError."""
        wanted = PREFIX + word
        path = f"{self._path}/issues/{issue.number}/labels"
        if wanted not in {name.casefold() for name in issue.labels}:
            self._api.ask("POST", path, {"labels": [wanted]})
        for name in issue.labels:
            if name.casefold() in {PREFIX + other for other in COLORS} - {wanted}:
                try:
                    self._api.ask("DELETE", f"{path}/{quote(name, safe='')}")
                except ApiError as error:
                    if error.status != 404:  # somebody else took it away
                        raise

    def make_label(self, word: str) -> None:
        """Make the label for a word, unless it is there. Raises ApiError."""
        description = "What became of it in wsbuild"
        sent = {"name": PREFIX + word, "color": COLORS[word], "description": description}
        try:
            self._api.ask("POST", f"{self._path}/labels", sent)
        except ApiError as error:
            if error.status != 422:  # it is there
                raise

    def update(self, issue: Remote, fields: Mapping[str, Any]) -> None:
        """Change some fields of an issue, if any is different. Raises ApiError."""
        if fields:
            self._api.ask("PATCH", f"{self._path}/issues/{issue.number}", dict(fields))


def state_fields(issue: Remote, *, is_done: bool) -> dict[str, str]:
    """What closes an issue, or opens it again; nothing where it is so."""
    if is_done == (not issue.is_open):
        return {}
    return {
        "state": "closed" if is_done else "open",
        "state_reason": "completed" if is_done else "reopened",
    }


_TASKS = mark("tasks")
_NUMBER = re.compile(r"(?:#|/issues/)([0-9]{1,18})")
_BOX = re.compile(r"([ \t]*[-*+] \[)([ xX])(\].*?)(\r?\n?)", re.DOTALL)


def ticked(body: str, tasks: Iterable[tuple[int, str, bool]]) -> str:
    """The body of an epic's issue in which those of its tasks (number, title, whether it is done) are ticked
    that are done: lines are of the issue that they name first. What is not in the list yet goes below the
    mark of tasks; all else stays.
    """
    lines = body.splitlines(keepends=True)
    missing = []
    for number, title, is_done in tasks:
        box, is_listed = "x" if is_done else " ", False
        for at, line in enumerate(lines):
            found = _BOX.fullmatch(line)
            named = _NUMBER.search(found[3]) if found else None
            if found and named and int(named[1]) == number:
                is_listed = True
                if found[2].casefold() != box:
                    lines[at] = f"{found[1]}{box}{found[3]}{found[4]}"
        if not is_listed:
            missing.append(f"- [{box}] #{number} {' '.join(title.split())}\n")
    text = "".join(lines)
    if not missing:
        return text
    before, there, behind = text.partition(_TASKS)
    if not there:
        return f"{text.rstrip()}\n\n{_TASKS}\n{''.join(missing)}"
    kept = behind.lstrip("\r\n")
    listed = re.match(r"(?:[ \t]*[-*+] \[[ xX]\][^\n]*\n?)*", kept)
    end = listed.end() if listed else 0
    first = kept[:end] if kept[:end].endswith("\n") or not end else kept[:end] + "\n"
    return f"{before}{_TASKS}\n{first}{''.join(missing)}{kept[end:]}"
