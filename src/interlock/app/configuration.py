"""The configuration: an `interlock.yaml` that was read, checked whole, and holds together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from interlock.adapters.mapper import check_expressions
from interlock.app.conditions import NotAConditionError, condition
from interlock.app.document import ConfigInvalid, Document, Place
from interlock.app.settings import RouteSettings, Settings
from interlock.connectors.kit import FOLDER, Connector, TargetConfig
from interlock.core.event import Json
from interlock.core.route import Filter, Route
from interlock.core.site import Site, Source
from interlock.ports import MappingError

Connectors: TypeAlias = Mapping[str, Connector[Any, Any]]

REV_DIGITS = 12  # hex digits of the configuration's digest: enough to tell revisions apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the site's repository says, checked.

    Attributes:
        folder: where `interlock.yaml` lies; relative paths in it start here.
        targets: by name, each as its connector's own model.
    """

    folder: Path
    settings: Settings
    targets: Mapping[str, TargetConfig]
    site: Site

    def path(self, written: str) -> Path:
        """A path as written in the file, from the file's folder."""
        return self.folder / written


def load(path: Path, connectors: Connectors) -> Configuration:
    """The configuration in `path`. Raises ConfigInvalid with every complaint at once."""
    document = Document(path)
    try:
        settings = Settings.model_validate(document.value)
    except ValidationError as err:
        raise ConfigInvalid(*_complaints(document, err)) from err
    wrong: list[str] = []
    targets = _targets(document, settings, connectors, wrong)
    routes = list(_routes(document, settings, targets, connectors, wrong))
    wrong += _clashes(document, settings)
    if wrong:
        raise ConfigInvalid(*wrong)
    site = Site(
        name=settings.site,
        rev=sha256(path.read_bytes()).hexdigest()[:REV_DIGITS],
        environment=settings.environment,
        sources={
            name: Source(name=name, uri=source.uri, owner=source.owner)
            for name, source in settings.sources.items()
        },
        routes=tuple(routes),
        pending_max=settings.pending_max,
    )
    return Configuration(folder=path.parent, settings=settings, targets=targets, site=site)


def schema(connectors: Connectors) -> dict[str, Json]:
    """The JSON Schema (2020-12) of `interlock.yaml`, with each connector's own part."""
    found: dict[str, Any] = Settings.model_json_schema(by_alias=True)
    shapes = []
    for name, connector in sorted(connectors.items()):
        shape = connector.config.model_json_schema(
            by_alias=True, ref_template=f"#/$defs/{name}.{{model}}"
        )
        for inner, definition in shape.pop("$defs", {}).items():
            found["$defs"][f"{name}.{inner}"] = definition
        found["$defs"][name] = shape
        shapes.append({"$ref": f"#/$defs/{name}"})
    by_name = found["properties"]["targets"]["patternProperties"]
    by_name |= {pattern: {"oneOf": shapes} for pattern in by_name}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **found,
        "title": "interlock.yaml",
    }


def _complaints(document: Document, err: ValidationError, *around: int | str) -> Iterator[str]:
    """Each fault with its line, without the value: it may be a secret in the wrong place."""
    for each in err.errors(include_url=False, include_input=False):
        place: Place = (*around, *each["loc"])
        message = "unknown key" if each["type"] == "extra_forbidden" else each["msg"]
        yield document.complaint(place, message.removeprefix("Value error, "))


def _targets(
    document: Document, settings: Settings, connectors: Connectors, wrong: list[str]
) -> dict[str, TargetConfig]:
    found: dict[str, TargetConfig] = {}
    for name, written in settings.targets.items():
        connector = connectors.get(str(written.get("connector")))
        if connector is None:
            known = ", ".join(sorted(connectors))
            place = ("targets", name, "connector")
            wrong.append(document.complaint(place, f"name one of the connectors: {known}"))
            continue
        try:
            context = {FOLDER: document.path.parent.absolute()}
            found[name] = connector.config.model_validate(written, context=context)
        except ValidationError as err:
            wrong += _complaints(document, err, "targets", name)
    return found


def _routes(
    document: Document,
    settings: Settings,
    targets: Mapping[str, TargetConfig],
    connectors: Connectors,
    wrong: list[str],
) -> Iterator[Route]:
    for n, written in enumerate(settings.routes):
        at = ("routes", n)
        when: Filter | None = None
        try:
            when = condition(written.when)
            check_expressions(dict(written.params))
        except NotAConditionError as err:
            wrong.append(document.complaint((*at, "when", *err.place), str(err)))
        except MappingError as err:
            wrong.append(document.complaint((*at, "with"), str(err)))
        if written.to not in settings.targets:
            known = ", ".join(sorted(settings.targets)) or "none"
            wrong.append(document.complaint((*at, "to"), f"no such target; there are: {known}"))
        elif written.to in targets:
            actions = connectors[targets[written.to].connector].actions
            if written.do not in actions:
                known = ", ".join(sorted(actions))
                wrong.append(document.complaint((*at, "do"), f"it can: {known}"))
        if when is not None:
            yield _route(written, when)


def _route(written: RouteSettings, when: Filter) -> Route:
    return Route(
        name=written.name,
        when=when,
        target=written.to,
        action=written.do,
        params=dict(written.params),
        within=written.within,
        on_unknown=written.on_unknown,
    )


def _clashes(document: Document, settings: Settings) -> Iterator[str]:
    """Names and uris that must be unique and are not."""
    names = [route.name for route in settings.routes]
    for n, name in enumerate(names):
        if name in names[:n]:
            yield document.complaint(("routes", n, "name"), f"another route is named {name}")
    uris: dict[str, str] = {}
    for name, source in settings.sources.items():
        other = uris.setdefault(source.uri.rstrip("/"), name)
        if other != name:
            message = f"the source {other} has it too"
            yield document.complaint(("sources", name, "uri"), message)
    issuers = [issuer.name for issuer in settings.identity.issuers]
    for n, name in enumerate(issuers):
        if name in issuers[:n]:
            message = f"another issuer is named {name}"
            yield document.complaint(("identity", "issuers", n, "name"), message)
