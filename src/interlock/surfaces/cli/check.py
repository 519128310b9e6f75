"""`interlock check`: would this configuration run?"""

import json
from pathlib import Path

import click

from interlock.app import bootstrap, configuration
from interlock.app.configuration import Configuration
from interlock.app.document import ConfigInvalid
from interlock.surfaces.cli.calling import Failed
from interlock.surfaces.cli.options import configured, json_too
from interlock.surfaces.cli.text import clean, count


@click.command()
@configured
@json_too
def check(config: Path, as_json: bool) -> None:
    """Check a configuration and its policies, offline.

    Resolves no secret and reaches for nothing; each complaint says file and line.
    """
    complaints: list[str] = []
    counted: dict[str, int] = {}
    try:
        loaded = configuration.load(config, bootstrap.connectors())
        counted = _counted(loaded)
        bootstrap.trusted(loaded)
        counted["policies"] = len(bootstrap.policies(loaded))
    except ConfigInvalid as err:
        complaints = str(err).splitlines()
    except bootstrap.CANNOT_RUN as err:
        complaints = [str(err)]
    if as_json:
        report = {"ok": not complaints, "found": counted, "complaints": complaints}
        click.echo(json.dumps(report, indent=2))
    else:
        for complaint in complaints:
            click.echo(clean(complaint))
    if complaints:
        raise Failed(
            f"{config}: {count(len(complaints), 'complaint')}", "correct them; nothing was changed"
        )
    if not as_json:
        click.echo(f"{config}: ok")
        for noun, number in counted.items():
            click.echo(f"  {noun:<9}{number:>4}")


def _counted(loaded: Configuration) -> dict[str, int]:
    settings = loaded.settings
    return {
        "issuers": len(settings.identity.issuers),
        "sources": len(settings.sources),
        "targets": len(settings.targets),
        "routes": len(settings.routes),
    }
