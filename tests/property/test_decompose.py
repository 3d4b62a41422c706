"""Plans of random trees, imports and rules: every file once, limits kept, no cycle, nothing unordered."""

from __future__ import annotations

import os
import random
import tempfile
from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wsbuild import patterns
from wsbuild.planning import drafts
from wsbuild.planning.decompose import explain, files, propose, rules
from wsbuild.planning.decompose.imports import find_imports

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = 600 if os.environ.get("WSBUILD_TEST_FULL") else 60

NAMES = st.sampled_from(["a", "b", "src", "tests", "test_a", "a_test", "[id]", "x*y", "é", "c d", "__init__"])
ENDINGS = st.sampled_from([".py", ".py", ".py", ".ts", ".md", ".x", ""])
PATHS = st.builds(
    lambda parts, ending: "/".join(parts) + ending, st.lists(NAMES, min_size=1, max_size=3), ENDINGS
)
PATTERNS = st.lists(
    st.sampled_from(["**/*.py", "src/**", "tests/", "a/**/*", "**/*.ts", "b", "**/test_*", "**"]),
    min_size=1,
    max_size=2,
)
ENTRIES = st.lists(
    st.dictionaries(
        st.sampled_from(["one", "two", "one-2", "Drei!", "_"]),
        st.fixed_dictionaries({"patterns": PATTERNS}, optional={"kind": st.sampled_from(["test", "docs"])}),
        min_size=1,
        max_size=1,
    ),
    max_size=3,
)
RULES = st.fixed_dictionaries(
    {
        "group_by": st.fixed_dictionaries({"language": ENTRIES, "directory": ENTRIES}),
        "workstream_limits": st.fixed_dictionaries(
            {
                "max_files_per_workstream": st.integers(1, 6),
                "max_tasks_per_workstream": st.integers(1, 4),
                "max_lines_changed_per_workstream": st.integers(1, 60),
            }
        ),
        "dependency_inference": st.dictionaries(
            st.sampled_from(["r", "s"]),
            st.fixed_dictionaries(
                {"if_files_changed": PATTERNS, "then_depends_on_workstreams_changing": PATTERNS}
            ),
        ),
        "prioritization": st.dictionaries(
            st.sampled_from(["p", "q"]),
            st.fixed_dictionaries(
                {
                    "keywords": st.lists(st.sampled_from(["ren", "delete", "x"]), min_size=1, max_size=2),
                    "priority_score": st.integers(1, 3),
                }
            ),
        ),
    }
)


@st.composite
def trees(draw: Any) -> tuple[dict[str, str], list[files.Listed]]:
    """Files on the disk with imports of each other, and a list of what is planned of them."""
    paths = sorted(draw(st.sets(PATHS, min_size=1, max_size=14)))
    listed = []
    for path in paths:
        action = draw(st.sampled_from(["", "change", "create", "delete"]))
        listed.append(files.Listed(path, action, lines=draw(st.none() | st.integers(0, 40))))
    if len(paths) > 1 and draw(st.booleans()):
        listed[0] = listed[0]._replace(action="delete", partner=paths[-1])
        listed[-1] = listed[-1]._replace(action="rename", partner=paths[0])
    held = {}
    for path in paths:
        above = any(other.startswith(path + "/") for other in paths)
        if not above and draw(st.integers(0, 3)):
            others = draw(st.lists(st.sampled_from(paths), max_size=3))
            held[path] = "".join(map(_import_of, others if path.endswith(".py") else ()))
    return held, listed


def _import_of(path: str) -> str:
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"import {module}\n" if all(part.isidentifier() for part in module.split(".")) else ""


def _make(root: str, held: dict[str, str]) -> None:
    for path, text in held.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


def _inseparable(paths: Sequence[str], listed: Sequence[files.Listed]) -> bool:
    """Whether the paths hang together by renames and by directories that take the place of files."""
    partner = {one.path: one.partner for one in listed if one.partner}
    reached, todo = {paths[0]}, [paths[0]]
    while todo:
        here = todo.pop()
        for other in set(paths) - reached:
            if (
                partner.get(here) == other
                or f"{other}/".startswith(here + "/")
                or here.startswith(other + "/")
            ):
                reached.add(other)
                todo.append(other)
    return reached == set(paths)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=trees(), said=RULES, seed=st.integers(0, 99))
def test_a_plan_is_right(
    tree: tuple[dict[str, str], list[files.Listed]], said: dict[str, Any], seed: int
) -> None:
    """Whatever the rules: every file once, limits kept, nothing unordered, the same in any order."""
    held, listed = tree
    options = propose.Options("p", "aider")
    how = rules.compiled(said)
    with tempfile.TemporaryDirectory() as root:
        _make(root, held)
        taken = files.take(root, listed)
        found = propose.propose(root, taken, how, options)
        draft = explain.draft(found, options, change="x", source="x")
        checked = drafts.check(root, {}, [draft])
        imports = find_imports(root, [one.path for one in taken.files]).edges
        random.Random(seed).shuffle(listed)
        again = propose.propose(root, files.take(root, listed), how, options)
        assert explain.draft(again, options, change="x", source="x").text == draft.text
        assert explain.text(again) == explain.text(found)
    assert checked.problems == ()
    assert [one for one in checked.overlaps if not one.ordered] == []
    files_of = Counter(one.path for ws in found.workstreams for one in ws.files)
    assert files_of == Counter({one.path for one in listed} - {each.path for each in found.left_out})
    assert all(any(path.startswith(each.path + "/") for path in held) for each in found.left_out)
    for ws, bundle in zip(found.workstreams, draft.workstreams, strict=True):
        names = {patterns.literal(one.path) for one in ws.files}
        assert sorted(names) == sorted([*bundle["files_scope"], *bundle.get("files_create", [])])
        lines = sum(one.lines or 0 for one in ws.files)
        kept = (
            len(names) <= how.limits.files and len(ws.tasks) <= how.limits.tasks and lines <= how.limits.lines
        )
        assert kept == (not ws.over)
        assert kept or _inseparable([one.path for one in ws.files], listed), ws
    _is_ordered(found, imports)


def _is_ordered(found: propose.Proposal, imports: set[tuple[str, str]]) -> None:
    """What imports comes after what it imports, unless it is said that it does not."""
    of = {one.path: ws for ws in found.workstreams for one in ws.files}
    aside = {(each.later, each.earlier) for each in found.aside}
    place = {ws.id: at for at, ws in enumerate(found.workstreams)}
    for later, earlier in imports:
        one, other = of[later], of[earlier]
        if one is not other and (one.id, other.id) not in aside:
            assert other.id in dict(one.after)
            assert place[other.id] < place[one.id]
