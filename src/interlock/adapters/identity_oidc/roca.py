"""The fingerprint of RSA keys made by Infineon's broken generator (CVE-2017-15361, "ROCA").

Modulo each of these primes such a modulus is a power of 65537. A sound key passes all of the
tests by chance about once in 2**27. Source: Nemec et al., ACM CCS 2017, section 4.
"""

_GENERATOR = 65_537
_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)


def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(_GENERATOR, exponent, prime) for exponent in range(prime - 1))


_RESIDUES = tuple((prime, _powers(prime)) for prime in _PRIMES)


def is_roca(modulus: int) -> bool:
    """Whether `modulus` bears the fingerprint; its private key can be computed from it."""
    return all(modulus % prime in powers for prime, powers in _RESIDUES)
