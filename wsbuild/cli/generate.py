"""`wsbuild generate`: workstreams for a specification or a list of files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wsbuild.cli.common import JsonOption, from_root, project_root, project_settings, show_json
from wsbuild.errors import EXIT_OK, EXIT_USAGE, StateError, UserError

if TYPE_CHECKING:
    from wsbuild.model import Problem, Workstream
    from wsbuild.planning.decompose.files import Input, Listed
    from wsbuild.planning.decompose.propose import Options, Proposal
    from wsbuild.planning.decompose.rules import Rules
    from wsbuild.planning.decompose.spec import Spec
    from wsbuild.planning.drafts import Checked, Draft, Outcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("generate", help="Propose workstreams for a specification or for files.")(generate)


def generate(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SPEC|PATH...]",
            help="A Markdown file or the directory of an OpenSpec change; or files and directories.",
        ),
    ] = None,
    changed: Annotated[bool, typer.Option("--changed", help="What differs from the last commit.")] = False,
    affected: Annotated[
        str, typer.Option("--affected", metavar="REV", help="What the branch has changed since REV.")
    ] = "",
    files_from: Annotated[
        str,
        typer.Option(
            "--files-from",
            metavar="FILE",
            help="What a file names, as git diff --name-only or --name-status writes it (-: standard input).",
        ),
    ] = "",
    as_paths: Annotated[
        bool, typer.Option("--paths", help="Take the words as files, even one that may be a specification.")
    ] = False,
    rules_file: Annotated[
        str, typer.Option("--rules", metavar="FILE", help="Rules of this file, not the project's.")
    ] = "",
    prefix: Annotated[
        str, typer.Option("--prefix", help="What ids begin with, after ws- (default: by the specification).")
    ] = "",
    task: Annotated[str, typer.Option("--task", metavar="TEXT", help="A task of all of them.")] = "",
    tool: Annotated[
        str, typer.Option("--tool", metavar="PROFILE", help="Who edits (default: as the settings say).")
    ] = "",
    capability: Annotated[
        str, typer.Option("--capability", help="What the editing tool must be able to do.")
    ] = "",
    gate: Annotated[int, typer.Option("--gate", min=1, help="The approval that they need.")] = 1,
    issue: Annotated[str, typer.Option("--issue", help="The issue that they belong to.")] = "none",
    max_files: Annotated[
        int, typer.Option("--max-files", min=0, metavar="N", help="Files of one (0: by the rules).")
    ] = 0,
    max_tasks: Annotated[
        int, typer.Option("--max-tasks", min=0, metavar="N", help="Tasks of one (0: by the rules).")
    ] = 0,
    max_lines: Annotated[
        int, typer.Option("--max-lines", min=0, metavar="N", help="Changed lines of one (0: by the rules).")
    ] = 0,
    after_others: Annotated[
        bool,
        typer.Option(
            "--after-others", help="Plan files that workstreams have already too, to be done after those."
        ),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the bundle file.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="With --write: even over one that was edited.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the proposal; with --write, write it. Exit 2 where it would not be valid: nothing is written."""
    from wsbuild.planning.decompose import explain, files, from_git, propose, rules

    root = project_root()
    named = [from_root(word, root) for word in words or []]
    if sum(map(bool, (named, changed, affected, files_from))) != 1:
        raise typer.BadParameter("name a specification, files, or one of --changed, --affected, --files-from")
    settings = project_settings(root)
    spec = None if as_paths else _spec(root, named)
    options = propose.Options(
        _prefix(prefix, spec),
        tool if capability else tool or settings.default_tool,
        capability,
        gate,
        issue,
        task,
        after_others,
    )
    _check_tool(root, options)
    known = _limited(rules.load(root, rules_file), max_files, max_tasks, max_lines)
    if changed or affected:
        listed = from_git.changed(root, affected)
    elif files_from:
        listed = files.parse_list(files.read_list(files_from))
    else:
        listed = spec.listed if spec else files.below(root, named, settings.ignore)
    own = os.path.join(_bundles(root), explain.file_name(options.prefix))
    given = _input(root, [one for one in listed if one.path != own], spec)
    existing, replaced = _existing(root, own)
    proposal = propose.propose(root, given, known, options, spec=spec, existing=existing)
    if not proposal.workstreams:
        told = "".join(f"\n{line}" for line in explain.besides(proposal))
        hint = "--paths plans the file itself" if spec else "name other files"
        raise UserError(f"there is nothing to plan{told}", hint)
    source = named[0] if spec else "a list of files"
    draft = explain.draft(proposal, options, change=spec.name if spec else options.prefix, source=source)
    orphans = propose.orphaned(existing, replaced, proposal)
    raise typer.Exit(_end(root, proposal, draft, orphans, write=write, force=force, as_json=as_json))


def _spec(root: str, named: list[str]) -> Spec | None:
    from wsbuild.planning.decompose import spec

    if len(named) != 1 or not spec.is_spec(root, named[0]):
        return None
    return spec.read(root, named[0])


def _prefix(prefix: str, spec: Spec | None) -> str:
    from wsbuild.planning.decompose.propose import LONGEST_PREFIX, PREFIX, slug

    if not prefix:
        return (slug(spec.name) if spec else "") or "changes"
    if not PREFIX.fullmatch(prefix) or len(prefix) > LONGEST_PREFIX:
        hint = f"use lower case letters, digits and single `-`, at most {LONGEST_PREFIX}"
        raise UserError(f"--prefix {prefix!r} cannot stand in an id", hint)
    return prefix


def _check_tool(root: str, options: Options) -> None:
    """Raises UserError for a tool that no bundle may name."""
    from difflib import get_close_matches

    from wsbuild.problems import ProblemsError
    from wsbuild.tools import profiles

    known, problems = profiles.load(root)
    if problems:
        raise ProblemsError(problems)
    if options.tool and options.tool not in known:
        near = get_close_matches(options.tool, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
        raise UserError(f"no tool profile is named {options.tool!r}", hint)


def _limited(rules: Rules, files: int, tasks: int, lines: int) -> Rules:
    given = {name: most for name, most in (("files", files), ("tasks", tasks), ("lines", lines)) if most}
    return rules._replace(limits=rules.limits._replace(**given))


def _bundles(root: str) -> str:
    """The directory of bundles, seen from the root."""
    from wsbuild.specdir import workstream_dir

    return os.path.relpath(workstream_dir(root, os.environ), root)


def _input(root: str, listed: list[Listed], spec: Spec | None) -> Input:
    """The files to be planned. Bundles are left out: they say what is to be done, and are not done."""
    from wsbuild.planning.decompose import files, from_git

    taken = files.take(root, listed, tracked=from_git.tracked(root))
    bundles = [one.path for one in taken.files if one.path.startswith(_bundles(root) + "/")]
    out = [files.LeftOut(path, "is a bundle file") for path in bundles]
    words = [files.LeftOut(word, "names no single file") for word in (spec.not_files if spec else ())]
    return files.leave(taken, [*out, *words])


def _existing(root: str, own: str) -> tuple[list[Workstream], list[Workstream]]:
    """The workstreams that are there, and those of the file `own`, which is to be written anew. Raises
    ProblemsError where it is not known what others claim.
    """
    from wsbuild import bundle
    from wsbuild.problems import ProblemsError

    loaded = bundle.load(root, os.environ)
    problems = [each for each in loaded.problems if each.file != own and each.code != "no-bundles"]
    if problems:
        raise ProblemsError(problems)
    others = [ws for ws in loaded.workstreams if ws.source != own]
    return others, [ws for ws in loaded.workstreams if ws.source == own]


def _end(
    root: str,
    proposal: Proposal,
    draft: Draft,
    orphans: list[Problem],
    *,
    write: bool,
    force: bool,
    as_json: bool,
) -> int:
    """Check, write if that is wanted and all is well, and tell."""
    from wsbuild.planning import drafts
    from wsbuild.planning.decompose import explain

    checked = drafts.check(root, os.environ, [draft])
    checked = checked._replace(problems=(*checked.problems, *orphans))
    unordered = [one for one in checked.overlaps if not one.ordered]
    ok = not checked.problems and not unordered
    try:
        outcome = drafts.state_of(root, os.environ, draft)
        written = write and ok and (force or outcome.state != drafts.EDITED)
        if written:
            drafts.write(root, os.environ, [draft], force=force)
    except OSError as error:
        raise StateError(f"{error.filename}: {error.strerror}", "see to it, and try again") from error
    if as_json:
        show_json("generate", _json(proposal, draft, checked, outcome, written=written))
    else:
        typer.echo(explain.text(proposal), nl=False)
        _tell(checked, outcome, written=written, wanted=write)
    refused = write and ok and not written
    return EXIT_USAGE if not ok or refused else EXIT_OK


def _json(
    proposal: Proposal, draft: Draft, checked: Checked, outcome: Outcome, *, written: bool
) -> dict[str, Any]:
    from wsbuild.planning.decompose import explain

    return {
        "file": outcome.path,
        "state": outcome.state,
        "written": written,
        **explain.data(proposal),
        "bundles": list(draft.workstreams),
        "problems": [problem._asdict() for problem in checked.problems],
        "overlaps": [{**one._asdict(), "workstreams": list(one.workstreams)} for one in checked.overlaps],
    }


def _tell(checked: Checked, outcome: Outcome, *, written: bool, wanted: bool) -> None:
    from wsbuild.planning.drafts import EDITED, SAME
    from wsbuild.problems import describe

    for problem in checked.problems:
        typer.echo(describe(problem), err=True)
    unordered = [one for one in checked.overlaps if not one.ordered]
    for one in unordered:
        typer.echo(f"overlap: {' and '.join(one.workstreams)} both claim {one.path}", err=True)
    if checked.problems or unordered:
        typer.echo("wsbuild: nothing is written: this is not valid beside the bundles there are", err=True)
    elif written:
        typer.echo(f"{'is so already' if outcome.state == SAME else 'wrote'}: {outcome.path}")
    elif outcome.state == EDITED:
        typer.echo(f"wsbuild: {outcome.path} was edited and stays", err=True)
        typer.echo("  help: --write --force writes it anew, another --prefix writes beside it", err=True)
    elif not wanted:
        typer.echo(f"would write ({outcome.state}): {outcome.path}; --write does it")
