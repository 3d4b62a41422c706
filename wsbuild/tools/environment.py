"""What of its caller's environment a tool sees. Part of the hot path: imports nothing."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

ALLOWED_PREFIXES = ("LC_", "XDG_")
ALLOWED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TERM", "TZ"),
        *("TMPDIR", "TMP", "TEMP", "VIRTUAL_ENV", "SYSTEMROOT", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    )
)


def tool_env(environ: Mapping[str, str], extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a tool: the caller's variables that every tool may see, and `extra`.

    The caller's `GIT_*` are not among them: in a hook they would send git to another repository.
    """
    allowed = {
        name: value for name, value in environ.items() if name in ALLOWED or name.startswith(ALLOWED_PREFIXES)
    }
    return {**allowed, **extra}
