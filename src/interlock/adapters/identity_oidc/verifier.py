"""The verifier of OpenID providers' access tokens."""

from collections.abc import Collection

from interlock.adapters.identity_oidc.claims import verify_claims
from interlock.adapters.identity_oidc.issuer import Issuer
from interlock.adapters.identity_oidc.keyring import Keyring
from interlock.adapters.identity_oidc.principal import principal
from interlock.adapters.identity_oidc.token import read_token
from interlock.adapters.identity_oidc.verified import VerifiedTokens
from interlock.core.errors import NotIdentified
from interlock.core.principal import Principal
from interlock.ports import Clock, Http


class OidcVerifier:
    """See Verifier. A credential is a JWT in compact form, without the word `Bearer`.

    Raises ValueError when made without issuers, or with two of one name or of one url.
    """

    def __init__(self, issuers: Collection[Issuer], http: Http, clock: Clock) -> None:
        if not issuers:
            raise ValueError("identity: issuers is empty: nobody could be identified")
        for name in ("name", "url"):
            if len({getattr(issuer, name) for issuer in issuers}) != len(issuers):
                raise ValueError(f"identity: two issuers have the same {name}")
        self._clock = clock
        self._verified = VerifiedTokens()
        self._trusted = {
            issuer.url: (issuer, Keyring(issuer, http, self._verified.forget_all))
            for issuer in issuers
        }

    async def verify(self, credential: str) -> Principal:
        """See Verifier. A token seen lately is answered without waiting for anything.

        Raises NotIdentified whatever is wrong with it; CannotIdentify if the keys of its issuer
        cannot be had, which says nothing about the token.
        """
        now = self._clock.now()
        known = self._verified.find(credential, now)
        if known is not None:
            return known
        token = read_token(credential)
        iss = token.claims.get("iss")
        if not isinstance(iss, str) or iss not in self._trusted:
            raise NotIdentified("no issuer we trust has this `iss`")
        issuer, keyring = self._trusted[iss]
        if token.alg not in issuer.algorithms:
            raise NotIdentified(f"{issuer.name}: `alg` is not one this issuer may use")
        key = await keyring.key(token.kid, now)
        found = principal(verify_claims(token, key, issuer, now), issuer, now)
        self._verified.remember(credential, found, now)
        return found
