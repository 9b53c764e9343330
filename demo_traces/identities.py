"""A clock and ids that look like those of a real session and are the same whenever the demos are made."""

from __future__ import annotations

import base64
import hashlib
import itertools
import string
import uuid

_BEATS = (1, 2, 1, 3, 1, 1, 4, 2, 1, 6)
_ALPHABET = string.ascii_letters + string.digits


class Clock:
    """Wall clock of a story, in milliseconds since 1970. Writing an event takes a few of them."""

    def __init__(self, start_ms: int) -> None:
        self.now = start_ms
        self._beats = itertools.cycle(_BEATS)

    def __call__(self) -> int:
        self.now += next(self._beats)
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += round(seconds * 1000)


class Names:
    """Ids of every kind that codex, the provider and the runtime make up; none is ever given twice."""

    def __init__(self, seed: str, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self._numbers = itertools.count()

    def _bytes(self, length: int) -> bytes:
        number = next(self._numbers)
        return hashlib.shake_128(f"{self._seed}/{number}".encode()).digest(length)

    def uuid4(self) -> str:
        return str(uuid.UUID(bytes=self._bytes(16), version=4))

    def uuid5(self) -> str:
        return str(uuid.UUID(bytes=self._bytes(16), version=5))

    def uuid7(self) -> str:
        """A UUID that begins with the time, like those of threads, turns and the host's own items."""
        stamped = self._clock.now.to_bytes(6) + self._bytes(10)
        digits = stamped.hex()
        return str(uuid.UUID(f"{digits[:12]}7{digits[13:16]}{'89ab'[stamped[8] % 4]}{digits[17:]}"))

    def provider_id(self, prefix: str) -> str:
        """Such as `rs_0…`, 50 hexadecimal digits, the way the provider numbers its items."""
        return f"{prefix}_0{self._bytes(25).hex()[1:]}"

    def call_id(self) -> str:
        return "call_" + "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in self._bytes(24))

    def request_id(self) -> str:
        return f"req_{self._bytes(16).hex()}"

    def chunk_id(self) -> str:
        return self._bytes(3).hex()

    def process_id(self) -> int:
        return 10_000 + int.from_bytes(self._bytes(4)) % 80_000

    def sealed(self, length: int = 240) -> str:
        """What encrypted content looks like to anybody but the provider."""
        return "gAAAAAB" + base64.urlsafe_b64encode(self._bytes(length)).decode()
