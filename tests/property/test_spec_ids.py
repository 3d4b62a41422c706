"""Whatever is edited in pages, ids stay with their paragraphs, none is there twice, and the guard agrees."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from wsbuild.planning.markdown import parse
from wsbuild.planning.specs.guard import guard
from wsbuild.planning.specs.index import Places, plan, write
from wsbuild.planning.specs.resolve import resolve
from wsbuild.problems import ProblemsError
from wsbuild.worktrees.git import Git

FULL = bool(os.environ.get("WSBUILD_TEST_FULL"))
ROUNDS = settings(max_examples=2000 if FULL else 60, deadline=None)
PLACES = Places(("specs",))
PAGE = "specs/page.md"


@pytest.fixture(autouse=True)
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no repository around the directories here, and asking git each time takes a while."""
    monkeypatch.setattr(Git, "find", lambda *_: None)


def text_of(number: int) -> str:
    """A block that has next to nothing in common with that of another number."""
    words = [f"{chr(97 + (number * 7 + at * 5) % 26)}{number}{chr(97 + at)}{number * at}" for at in range(12)]
    kinds = [
        " ".join(words),
        "## " + " ".join(words),
        "```\n" + "\n\n".join(words) + "\n```",
        "\n".join(f"- {word}" for word in words),
        "> " + " ".join(words),
        f"| {words[0]} | b |\n|---|---|\n| {' '.join(words)} | 2 |",
        f"<!-- {' '.join(words)}\n\n-->",
    ]
    return kinds[number % len(kinds)]


def joined(texts: list[str]) -> str:
    """A page of them."""
    return "\n\n".join(texts) + "\n"


def put(root: str, texts: list[str]) -> None:
    """Write the page."""
    Path(root, "specs").mkdir(exist_ok=True)
    Path(root, PAGE).write_text(joined(texts))


def index(root: str) -> list[str]:
    """Index it; gives the ids in their order. All that must hold after any indexing is checked."""
    write(root, plan(root, PLACES))
    assert plan(root, PLACES).changes == ()
    assert guard(root, PLACES)[1:] == ((), ())
    data = yaml.safe_load(Path(root, PAGE + ".sidecar.yaml").read_text())
    found = [one["id"] for one in data["paragraphs"]]
    assert len(set(found)) == len(found)
    return found


@st.composite
def edits(draw: st.DrawFn) -> tuple[list[int], list[tuple[str, int]]]:
    """The numbers of blocks before, and after: each as it was (`same`), changed (`edit`) or `new`."""
    before = draw(st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True))
    after = [("same", number) for number in before]
    for _ in range(draw(st.integers(0, 4))):
        kind = draw(st.sampled_from(["insert", "delete", "edit", "move"]))
        at = draw(st.integers(0, len(after)))
        if kind == "insert":
            fresh = draw(st.integers(61, 120))
            if ("new", fresh) not in after:
                after.insert(at, ("new", fresh))
        elif after and kind == "delete":
            del after[at % len(after)]
        elif after and kind == "edit":
            how, number = after[at % len(after)]
            after[at % len(after)] = ("edit" if how == "same" else how, number)
        elif after:
            one = after.pop(at % len(after))
            after.insert(draw(st.integers(0, len(after))), one)
    return before, after


def changed(number: int) -> str:
    """A block with a word in its middle exchanged."""
    words = text_of(number).split(" ")
    text = text_of(number)
    if len(words) > 4:
        words[len(words) // 2] = "otherwise"
        return " ".join(words)
    lines = text.split("\n")
    lines[len(lines) // 2 - 1] += "otherwise"
    return "\n".join(lines)


@ROUNDS
@given(edits())
def test_ids_stay_with_their_paragraphs(edit: tuple[list[int], list[tuple[str, int]]]) -> None:
    """Those as they were and those that were changed have their ids, wherever they are."""
    before, after = edit
    old = [text_of(number) for number in before]
    new = [changed(number) if how == "edit" else text_of(number) for how, number in after]
    if any(len(parse(joined(texts)).blocks) != len(texts) for texts in (old, new)):
        return  # two lists became one
    with tempfile.TemporaryDirectory() as root:
        put(root, old)
        first = dict(zip(before, index(root), strict=True))
        put(root, new)
        stale = {
            number: resolve(root, PLACES, f"specid://{first[number]}").text
            for how, number in after
            if how != "new"
        }
        second = index(root)
    gone = set(before) - {number for _, number in after}
    for (how, number), own_id, text in zip(after, second, new, strict=True):
        if how == "new":
            assert own_id not in {first[one] for one in before if one not in gone}
        else:
            assert own_id == first[number]
            assert stale[number] == text


WORDS = st.sampled_from(["a", "b", "---", "same words here", "same words there", "- x", "```\n\n```", "# h"])


@ROUNDS
@given(st.lists(st.lists(WORDS, max_size=10), min_size=2, max_size=4))
def test_repeated_paragraphs(states: list[list[str]]) -> None:
    """Of a content as many ids stay as it is there before and after; none is ever there twice."""
    with tempfile.TemporaryDirectory() as root:
        known: list[tuple[str, str]] = []
        for state in states:
            put(root, state)
            texts = [block.text for block in parse(joined(state)).blocks]
            now = list(zip(texts, index(root), strict=True))
            kept = Counter(text for text, own_id in now if (text, own_id) in known)
            assert kept == Counter(texts) & Counter(text for text, _ in known)
            known = now


@ROUNDS
@given(st.lists(st.text(max_size=60) | st.binary(max_size=60), min_size=2, max_size=3))
def test_any_text(states: list[str | bytes]) -> None:
    """Is indexed, or is a problem that names the page; nothing else is raised."""
    with tempfile.TemporaryDirectory() as root:
        Path(root, "specs").mkdir()
        for state in states:
            data = state if isinstance(state, bytes) else state.encode(errors="surrogatepass")
            Path(root, PAGE).write_bytes(data)
            if b"\0" in data or data.decode(errors="replace").encode() != data:
                with pytest.raises(ProblemsError, match=PAGE):
                    plan(root, PLACES)
                continue
            found = index(root)
            covered = parse(data.decode("utf-8-sig")).blocks
            assert len(found) == len(covered)


SIDECARS = st.binary(max_size=80) | st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["paragraphs", "id", "mfid", "sketches", "title", "version", "start_line", "file"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
).map(lambda value: yaml.safe_dump(value, allow_unicode=True).encode(errors="replace"))


@ROUNDS
@given(SIDECARS)
def test_any_sidecar(data: bytes) -> None:
    """Is mended, or is a problem and stays as it is."""
    with tempfile.TemporaryDirectory() as root:
        put(root, ["# a", "b"])
        path = Path(root, PAGE + ".sidecar.yaml")
        path.write_bytes(data)
        try:
            index(root)
        except ProblemsError:
            assert path.read_bytes() == data
