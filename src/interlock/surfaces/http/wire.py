"""The wire: uvicorn's reading of HTTP/1.1, without what it lets through.

httptools refuses broken framing. uvicorn, around it, takes trailers for headers, takes a target
that names another host, and waits without end: for the end of a head, and of a body that has been
answered before it was there.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from interlock.core.errors import BadRequest, Refusal
from interlock.surfaces.http.boundary import HEADER_BYTES_MAX
from interlock.surfaces.http.problems import HeadersTooLarge, TooSlow, problem_body, problem_headers

HEAD_S = 15.0  # for the head of a request to arrive


class Wire(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _head_bytes = 0
    _lasts = False  # whether the connection may outlive the request that is being read
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See asyncio.Protocol. A connection must say something, and soon."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol. A head is kept in memory, so it must end within its limit."""
        only_head = self._in_head
        super().data_received(data)
        if self._idle_for_ever():
            self._expect_head()
        if only_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEADER_BYTES_MAX:
                self._refuse(HeadersTooLarge(f"a head may have {HEADER_BYTES_MAX} bytes"))

    def on_message_begin(self) -> None:
        """See httptools."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools, which reports trailers here too; RFC 9110 6.5.1: not to be merged."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """See httptools. What is raised here is answered by `send_400_response`."""
        self._head_is_here()
        if not self.url.startswith(b"/") or b"#" in self.url:
            raise BadRequest("a target is a path; it names no host")
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings and (codings != [b"chunked"] or self.parser.get_http_version() != "1.1"):
            raise BadRequest("the one transfer coding is chunked")
        super().on_headers_complete()
        self._lasts, self.cycle.keep_alive = self.cycle.keep_alive, False

    def on_message_complete(self) -> None:
        """See httptools. Only an answer that begins after this one may leave the connection open.

        RFC 9112 9.3: who does not read the whole body has to close.
        """
        super().on_message_complete()
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._lasts

    def shutdown(self) -> None:
        """See uvicorn. No body that completes from now on keeps the connection."""
        self._lasts = False
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """See uvicorn, which says it in plain text."""
        self._refuse(BadRequest(f"{msg} RFC 9112 says how one looks.", field="(request)"))

    def _idle_for_ever(self) -> bool:
        """Whether what came has ended the wait for a request, and was none: an empty line."""
        return (
            not self._in_head and not self.transport.is_closing() and self.cycle.response_complete
        )

    def _expect_head(self) -> None:
        self._head_is_here()
        self._in_head = True
        self._deadline = self.loop.call_later(HEAD_S, self._late)

    def _head_is_here(self) -> None:
        self._in_head = False
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._refuse(TooSlow(f"the head must arrive within {HEAD_S:g} s"))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer beside the application, which has not been asked, and end the connection."""
        if self.transport.is_closing():
            return
        body = problem_body(refusal)
        headers = [*problem_headers(refusal), (b"content-length", str(len(body)).encode())]
        status = HTTPStatus(refusal.status)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()
