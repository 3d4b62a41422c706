"""PSScriptAnalyzer, a linter for PowerShell: https://github.com/PowerShell/PSScriptAnalyzer"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from wsbuild.detectors.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wsbuild.detectors.contract import Output

_SCRIPT = """
$ErrorActionPreference = 'Stop'
Import-Module PSScriptAnalyzer
$given = @{}
if (Test-Path ./PSScriptAnalyzerSettings.psd1) { $given.Settings = './PSScriptAnalyzerSettings.psd1' }
$found = @(foreach ($file in $args) {
  Invoke-ScriptAnalyzer -Path ([WildcardPattern]::Escape($file)) @given FIX
})
$rows = @($found | ForEach-Object {
  @{ rule = $_.RuleName; severity = "$($_.Severity)"; path = $_.ScriptPath; message = $_.Message
     line = $_.Line; column = $_.Column }
})
ConvertTo-Json -InputObject $rows -Compress
"""
DOCS = "https://learn.microsoft.com/powershell/utility-modules/psscriptanalyzer/rules/"
_SEVERITY = {"Error": "error", "ParseError": "error", "Warning": "warning"}


def command(files: Sequence[str]) -> list[str]:
    """The names are arguments of the script, and no part of it."""
    return _start(_SCRIPT.replace("FIX", ""), files)


def fix(files: Sequence[str]) -> list[str]:
    """What its rules can mend."""
    return _start(_SCRIPT.replace("FIX", "-Fix"), files)


def parse(output: Output) -> Iterator[Finding]:
    """One object for each finding."""
    for row in json.loads(output.stdout):
        rule, is_syntax = row["rule"], row["severity"] == "ParseError"
        yield Finding(
            output.relative(row["path"]),
            row["line"] or 0,
            row["column"] or 0,
            rule,
            "syntax" if is_syntax else "style",
            _SEVERITY.get(row["severity"], "info"),  # type: ignore[arg-type]
            row["message"],
            "" if is_syntax else DOCS + rule.removeprefix("PS").lower(),
        )


def _start(script: str, files: Sequence[str]) -> list[str]:
    return ["pwsh", "-NoProfile", "-NonInteractive", "-CommandWithArgs", script, *files]
