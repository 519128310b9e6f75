"""`python -m interlock.sandbox.looker --content FILE [--port 0]`: a sandbox Looker as a program.

Prints `looker ready http://127.0.0.1:PORT` when it accepts calls; ends on SIGTERM or SIGINT.
"""

import argparse
import time
from pathlib import Path

from interlock.sandbox.looker import create_app, load
from interlock.sandbox.server import run


def main() -> None:
    """Read the arguments and the content, then serve; exit 2 with a sentence if either is wrong."""
    parser = argparse.ArgumentParser("python -m interlock.sandbox.looker", description=__doc__)
    parser.add_argument("--content", type=Path, required=True, help="a YAML file: what it contains")
    parser.add_argument("--port", type=int, default=0, help="a TCP port; 0 takes a free one")
    arguments = parser.parse_args()
    try:
        content = load(arguments.content)
    except (OSError, ValueError) as failure:
        parser.error(f"--content: {failure}")
    app = create_app(content, time.time)  # noqa: TID251 - here the sandbox meets real time
    run(app, name="looker", port=arguments.port)


if __name__ == "__main__":
    main()
