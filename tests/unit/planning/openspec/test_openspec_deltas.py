"""Spec deltas: requirements, and the scenarios that two older readers lost."""

from __future__ import annotations

from pathlib import Path

from wsbuild.planning.markdown_tree import parse
from wsbuild.planning.openspec.deltas import ADDED, MODIFIED, REMOVED, RENAMED, read_deltas

SPEC = """\
# Spec Delta

## Purpose
Not a requirement.

## ADDED Requirements

### Requirement: Users can `export` data
The system SHALL allow it.

**Priority**: high
- in CSV

#### Scenario: Export
- **WHEN** the user clicks "Export"
  * in the menu
- **THEN** a file `a.csv` is [sent](x.md)

```sh
## ADDED Requirements
### Requirement: Not one
```

##### Detail
- **AND** more

#### By hand
GIVEN nothing
THEN nothing

## modified requirements
### requirement: Login ##
It MUST ask.
#### scenario: Ask
1. WHEN asked
2. THEN answered

## REMOVED Requirements
### Requirement: Old
**Reason**: gone
+ `### Requirement: Older`

## RENAMED Requirements
- FROM: `### Requirement: A`
- TO: `### Requirement: B`

## ADDED Requirements
### Requirement: Again
It SHALL.
"""


def test_all_kinds() -> None:
    """In their order, sections that come twice too, with text and line."""
    found = read_deltas(parse(SPEC), "ui/data", "spec.md")
    assert [(one.kind, one.name, one.line) for one in found] == [
        (ADDED, "Users can `export` data", 8),
        (MODIFIED, "Login", 32),
        (REMOVED, "Older", 41),
        (REMOVED, "Old", 39),
        (RENAMED, "A", 44),
        (ADDED, "Again", 48),
    ]
    assert found[0].text == "The system SHALL allow it.\n**Priority**: high\n- in CSV"
    assert found[4].text == "B"
    assert {(one.capability, one.file) for one in found} == {("ui/data", "spec.md")}


def test_scenarios() -> None:
    """With all that stands below them, code too, and without emphasis; a heading in code is none."""
    found = read_deltas(parse(SPEC), "x", "spec.md")
    assert [[(one.name, one.line) for one in each.scenarios] for each in found[:2]] == [
        [("Export", 14), ("By hand", 27)],
        [("Ask", 34)],
    ]
    export, by_hand = found[0].scenarios
    fence = "```sh\n## ADDED Requirements\n### Requirement: Not one\n```"
    first = 'WHEN the user clicks "Export" in the menu THEN a file `a.csv` is sent'
    assert export.text == f"{first}\n{fence}\nDetail AND more"
    assert by_hand.text == "GIVEN nothing THEN nothing"
    assert found[1].scenarios[0].text == "WHEN asked THEN answered"


def test_scenarios_that_are_headings(real_bundles: Path) -> None:
    """As real specifications have them: `### WHEN ...` with a list of what then is."""
    path = real_bundles / "predecessor-files/openspec/specs/orchestration/spec.md"
    [found] = read_deltas(parse(path.read_text()), "orchestration", "spec.md")
    assert (found.kind, found.name) == (ADDED, "Orchestration Specification")
    second = found.scenarios[1].text
    assert second.startswith("WHEN static validation completes THEN proceed to runtime tests OR fix errors")
    assert [one.line for one in found.scenarios] == [20, 25, 29]


def test_a_requirement_ends_where_the_next_section_begins() -> None:
    """What stands behind is not its."""
    text = "### Requirement: A\nx\n#### Scenario: S\n- WHEN y\n## Notes\nz\n### Why\nw\n"
    [found] = read_deltas(parse(text), "x", "spec.md")
    assert (found.text, found.scenarios[0].text) == ("x", "WHEN y")


def test_nothing() -> None:
    """Comes of nothing."""
    assert read_deltas(parse(""), "x", "spec.md") == []
    assert read_deltas(parse("# Title\n\nText\n"), "x", "spec.md") == []
