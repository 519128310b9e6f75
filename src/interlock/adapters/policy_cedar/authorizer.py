"""Cedar's answers, fail closed.

Cedar skips a policy that errs, so an erring `forbid` would mean yes. Here any error means no.

An answer is remembered under all it depends on: principal, action, resource, and the members of
the context that the policies concerned read. Nothing is remembered where they read what never
comes again (`now`, `authorityAge`) or must be seen each time (`approval`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import cedarpy
import orjson

from interlock.adapters.policy_cedar.entities import What, Who, uid, what, who
from interlock.adapters.policy_cedar.policies import Policy
from interlock.adapters.policy_cedar.reads import EVERYTHING, reads
from interlock.adapters.policy_cedar.scope import ScopeIndex
from interlock.core.decision import Decision, Question

CASES_MAX = 2_048  # principal, action and resource of late
SLICES_MAX = 512  # the sets of policies that can matter to them; many cases share one
ANSWERS_MAX = 8_192  # answers of late; some 300 bytes each
NEVER_REMEMBERED = frozenset({"now", "authorityAge", "approval"}) | EVERYTHING
REQUIRED = {"now": datetime(2000, 1, 1, tzinfo=UTC), "environment": ""}  # by the schema; unread
LONG_MAX = 2**63  # Cedar's Long
_PLAIN = {
    "now": datetime,
    "environment": str,
    "hop": int,
    "initiator": str,
    "workflow": str,
    "runId": str,
    "corroborated": bool,
    "authorityAge": timedelta,
    "requestDigest": str,
    "eventType": str,
    "eventSubject": str,
}
ERROR_CHARS_MAX = 1_000  # Cedar quotes the whole context, and a caller can make that long
MILLISECOND = timedelta(milliseconds=1)  # Cedar's datetime and duration know nothing finer


class _Slice(NamedTuple):
    """Some of the policies, and our id for each of Cedar's."""

    policies: cedarpy.PolicySet
    ids: Mapping[str, str]
    reads: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """All of a question but its context, as Cedar wants it. One object for each, so a key too."""

    request: Mapping[str, Mapping[str, str]]
    entities: cedarpy.Entities
    slice: _Slice


class CedarAuthorizer:
    """See Authorizer. Takes policies and schema as `load` and `schema_text` gave them."""

    def __init__(self, policies: Sequence[Policy], schema: str) -> None:
        self._policies = policies
        self._schema = cedarpy.Schema.from_str(schema)
        self._index = ScopeIndex(policy.scope for policy in policies)
        self._slice = lru_cache(SLICES_MAX)(self._new_slice)
        self._case = lru_cache(CASES_MAX)(self._new_case)
        self._remembered = lru_cache(ANSWERS_MAX)(self._answer)

    def decide(self, question: Question) -> Decision:
        """See Authorizer."""
        try:
            case = self._case(who(question.principal), question.action, what(question.resource))
            context = question.context
            if case.slice.reads & NEVER_REMEMBERED or not _is_plain(context):
                return self._ask(case, context)
            members = case.slice.reads & context.keys()
            seen = frozenset([(name, type(context[name]), context[name]) for name in members])
            return self._remembered(case, seen)
        except Exception as err:  # noqa: BLE001 - whatever it is, it means no
            return _no(": ".join(str(each) or repr(each) for each in (err, err.__cause__) if each))

    def _answer(self, case: "_Case", seen: frozenset[tuple[str, type, object]]) -> Decision:
        """What Cedar says where the context is this, as far as the policies concerned read it."""
        shown = {name: value for name, _, value in seen}
        return self._ask(case, REQUIRED | shown)

    def _ask(self, case: "_Case", context: Mapping[str, object]) -> Decision:
        request = {**case.request, "context": _json(context)}
        answer = cedarpy.is_authorized(request, case.slice.policies, case.entities, self._schema)
        return _decision(answer, case.slice.ids)

    def _new_case(self, principal: Who, action: str, resource: What) -> _Case:
        told = [principal.entity(), *(each.entity() for each in resource.lineage())]
        try:
            entities = cedarpy.Entities.from_json_str(orjson.dumps(told).decode(), self._schema)
        except ValueError as err:
            kinds = f"{principal.kind} or {resource.kind}"
            raise ValueError(f"{kinds} does not fit the schema") from err
        matching = self._index.matching(principal.places, action, resource.places)
        return _Case(
            {
                "principal": uid(principal.kind, principal.id),
                "action": uid("Action", action),
                "resource": uid(resource.kind, resource.id),
            },
            entities,
            self._slice(matching),
        )

    def _new_slice(self, positions: tuple[int, ...]) -> _Slice:
        chosen = [self._policies[position] for position in positions]
        text = "".join(policy.text for policy in chosen)
        # Cedar names the policies of a text by their order: policy0, policy1 and so on.
        ids = {f"policy{number}": policy.id for number, policy in enumerate(chosen)}
        return _Slice(cedarpy.PolicySet.from_str(text), ids, reads(p.text for p in chosen))


def _is_plain(context: Mapping[str, object]) -> bool:
    """Whether it surely fits the schema: what does not is Cedar's to refuse, read or not."""
    for name, value in context.items():
        kind = type(value)
        if kind is not _PLAIN.get(name):
            return False
        if isinstance(value, int) and abs(value) >= LONG_MAX:
            return False
        if isinstance(value, datetime) and value.tzinfo is None:
            return False
    return "now" in context and "environment" in context


def _decision(answer: cedarpy.AuthzResult, ids: Mapping[str, str]) -> Decision:
    verdict, errors = answer.decision, answer.diagnostics.errors
    if errors or verdict is cedarpy.Decision.NoDecision:
        ours = (re.sub(r"`(policy\d+)`", lambda m: f"`{ids.get(m[1], m[1])}`", e) for e in errors)
        return _no("; ".join(sorted(ours)) or "Cedar came to no decision")
    rules = sorted([ids[reason] for reason in answer.diagnostics.reasons])
    return Decision(allowed=verdict is cedarpy.Decision.Allow, rules=tuple(rules))


def _no(error: str) -> Decision:
    return Decision(allowed=False, error=error[:ERROR_CHARS_MAX])


def _json(context: Mapping[str, object]) -> str:
    return orjson.dumps(context, _plain, orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _plain(value: object) -> object:
    """What JSON lacks, as Cedar reads it where the schema has a datetime, duration or record."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).isoformat("T", "milliseconds")[: -len("+00:00")] + "Z"
    if isinstance(value, timedelta):
        return f"{value // MILLISECOND}ms"
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"policy cannot be shown {value!r}; a datetime must be aware")
