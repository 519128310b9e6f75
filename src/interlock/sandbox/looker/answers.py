"""A call as an operation sees it, and what the operation answers: values, no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

__all__ = ["Answer", "Call", "Refused", "checked", "not_found", "unprocessable"]

# A path below /r/err/ would make the official Python SDK fetch error pages from the internet; the
# plain address, which older releases send, does not.
DOCUMENTATION_URL = "https://cloud.google.com/looker/docs/"


Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True)
class Call:
    """One call: who asks for what. `operation` is the official operation id, as in the SDKs."""

    operation: str
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    token: str = ""
    user_id: str | None = None

    @property
    def source(self) -> str | None:
        """What the caller says it is (`source` in the query or the body), for instance a run."""
        return self.query.get("source") or self.body.get("source")


@dataclass(frozen=True)
class Answer:
    """A status, a JSON body (or text), and what the call changed in the instance."""

    body: Any = None
    status: int = 200
    effects: tuple[str, ...] = ()


class Refused(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """The call is answered with an error and has changed nothing."""

    def __init__(
        self, status: int, message: str, errors: Sequence[Mapping[str, str]] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors

    @property
    def body(self) -> dict[str, object]:
        """Looker's error body: `message`, `documentation_url` and, for a 422, `errors`."""
        body: dict[str, object] = {
            "message": self.message,
            "documentation_url": DOCUMENTATION_URL,
        }
        if self.errors is not None:
            body["errors"] = [
                {**error, "documentation_url": DOCUMENTATION_URL} for error in self.errors
            ]
        return body


def not_found() -> Refused:
    """Looker's 404; it does not say what was not found."""
    return Refused(404, "Not found")


def unprocessable(field: str, code: str, message: str) -> Refused:
    """Looker's 422 about one field; `code` is `missing_field`, `invalid` or `already_exists`."""
    return Refused(422, "Validation Failed", [{"field": field, "code": code, "message": message}])


def checked(model: type[Body], body: Mapping[str, Any]) -> Body:
    """Read `body` as `model`.

    Raises:
        Refused: 422, one error per field that is missing, wrong or unknown.
    """
    try:
        return model.model_validate(body)
    except ValidationError as failure:
        errors = [
            {
                "field": ".".join(str(part) for part in error["loc"]),
                "code": "missing_field" if error["type"] == "missing" else "invalid",
                "message": error["msg"],
            }
            for error in failure.errors(include_url=False)
        ]
        raise Refused(422, "Validation Failed", errors) from failure
