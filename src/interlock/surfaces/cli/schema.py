"""`interlock schema`: the shape of interlock.yaml, for editors."""

import json

import click

from interlock.app import bootstrap, configuration


@click.command()
def schema() -> None:
    """Print the JSON Schema of interlock.yaml.

    An editor that is told of it completes keys and marks mistakes while you write.
    """
    click.echo(json.dumps(configuration.schema(bootstrap.connectors()), indent=2))
