"""The boundary: what is ambiguous is refused before anything looks at it.

Two programs that read one request differently are how policy is passed by. So a request has one
reading or none: one Host, one credential, a path that needs no normalising. wire.py has refused
broken framing before, and the headers are those of the head: it keeps trailers out of them.
"""

import re
from collections.abc import Iterable, Sequence

from interlock.core.errors import BadRequest, TooLarge
from interlock.surfaces.http.problems import HeadersTooLarge

HEADERS_MAX = 100
HEADER_BYTES_MAX = 32_768  # a token of 16 KiB fits, twice
QUERY_BYTES_MAX = 4_096
TOKEN_BYTES_MAX = 16_384

Headers = Iterable[tuple[bytes, bytes]]

# No percent: none of our paths needs one, so nothing is ever decoded twice.
_PATH = re.compile(
    rb"/(?:[A-Za-z0-9_~:@-][A-Za-z0-9._~:@-]*(?:/[A-Za-z0-9_~:@-][A-Za-z0-9._~:@-]*)*)?\Z"
)
_DOTTED = re.compile(rb"/\.well-known/[a-z.-]+\Z")
_ONCE = (b"host", b"authorization", b"content-type", b"content-length", b"prefer")
_BEARER = re.compile(rb"[Bb]earer ([A-Za-z0-9._~+/=-]+)\Z")


def check(raw_path: bytes, query: bytes, headers: Headers) -> None:
    """Raise a Refusal if the head of the request is ambiguous or over a limit."""
    found = list(headers)
    size = sum([len(name) + len(value) for name, value in found])
    if len(found) > HEADERS_MAX or size > HEADER_BYTES_MAX:
        raise HeadersTooLarge(f"at most {HEADERS_MAX} headers of {HEADER_BYTES_MAX} bytes together")
    _check_names([name for name, _ in found])
    if not (_PATH.match(raw_path) or _DOTTED.match(raw_path)):
        raise BadRequest("the path has characters that no path here has", field="(path)")
    if len(query) > QUERY_BYTES_MAX:
        raise TooLarge(f"a query may have {QUERY_BYTES_MAX} bytes", limit=QUERY_BYTES_MAX)


def _check_names(names: Sequence[bytes]) -> None:
    if len(set(names)) < len(names):
        for name in _ONCE:
            if names.count(name) > 1:
                raise BadRequest(f"the header {name.decode()} may occur once", field=name.decode())
    if b"host" not in names:
        raise BadRequest("the header host is missing", field="host")
    if b"upgrade" in names:  # a parser that heeds it stops reading: the body would be lost
        raise BadRequest("this connection cannot become another protocol's", field="upgrade")


def credential(headers: Headers) -> str:
    """The bearer token of the request; empty if there is none, which identifies nobody."""
    for name, value in headers:
        if name == b"authorization" and len(value) <= TOKEN_BYTES_MAX:
            found = _BEARER.match(value)
            return found[1].decode() if found else ""
    return ""
