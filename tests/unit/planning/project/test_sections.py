"""What the body of a task says."""

from __future__ import annotations

from wsbuild.planning.project.page import parse
from wsbuild.planning.project.sections import read_sections

BODY = """
# Task: it

## Description

Do *it*.

### More of it

- well

---

## Acceptance Criteria
- [ ] one `x y`
- [X] two
  - [ ] three
1. four
* [ ] one `x y`

Not this.

## Technical Details

### Files Affected
- `src/a.py` (new file)
- **`src/b.py`**: what is done
- src/c.py: more
- Dockerfile
- look at `x y`
- all of it

### Files to Create:
- `src/d/`

```
## Acceptance Criteria
- not a criterion
```
## Definition of Done
- [ ] never
"""


def test_sections() -> None:
    """By their headings, wherever they are; code is no heading."""
    page, problems = parse(f"---\nname: x\n---\n{BODY}".encode(), "x.md", "ccpm_task")
    assert page is not None
    assert problems == []
    found = read_sections(page)
    assert found.criteria == ("one `x y`", "two", "three", "four")
    assert [(one.path, one.line) for one in found.scope] == [("src/b.py", 30), ("src/c.py", 31)]
    assert [(one.path, one.line) for one in found.create] == [("src/a.py", 29), ("src/d/", 37)]
    lines = page.raw.decode().splitlines()
    assert all(one.path in lines[one.line - 1] for one in (*found.scope, *found.create))
    assert found.told[0] == "Do *it*.\n\n### More of it\n\n- well"
    assert found.told[1].startswith("### Files Affected")


def test_an_empty_body() -> None:
    """Says nothing."""
    page, _ = parse(b"---\nname: x\n---", "x.md", "ccpm_task")
    assert page is not None
    assert read_sections(page) == ((), (), (), ())
