"""The peers that the identity tests talk to."""

from tests.peers.idp import idp, idp_process

__all__ = ["idp", "idp_process"]
