"""The key of a NATS user (an "nkey"): Ed25519 in base 32, with a prefix and a checksum.

The package that nats-py would use for this takes a seed with a typing error for another seed, and
there is no wheel of it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USER_SEED_PREFIX = b"\x95\x00"  # in base 32: SU
USER_KEY_PREFIX = b"\xa0"  # in base 32: U
SEED_LENGTH = 58


class UserKey:
    """A key pair, made from its seed. Raises ValueError for anything but the seed of a user."""

    def __init__(self, seed: str) -> None:
        key = base64.b32decode(seed + "=" * (-len(seed) % 8))
        if not key.startswith(USER_SEED_PREFIX) or len(seed) != SEED_LENGTH:
            raise ValueError("not the seed of a user")
        if key[-2:] != _checksum(key[:-2]):
            raise ValueError("a letter of the seed is wrong")
        self._private = _ed25519(key[len(USER_SEED_PREFIX) : -2])

    @property
    def public(self) -> str:
        """The name that the server knows this user by."""
        key = USER_KEY_PREFIX + self._private.public_key().public_bytes_raw()
        return base64.b32encode(key + _checksum(key)).decode()

    def sign(self, nonce: str) -> str:
        """Return the proof that this is the user, for the server that asked with `nonce`."""
        signature = self._private.sign(nonce.encode())
        return base64.urlsafe_b64encode(signature).rstrip(b"=").decode()


def _checksum(key: bytes) -> bytes:
    return binascii.crc_hqx(key, 0).to_bytes(2, "little")


def _ed25519(seed: bytes) -> Ed25519PrivateKey:
    # Only here: it takes 8 MB, and most services sign in without a key.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)
