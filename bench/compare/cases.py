# SPDX-License-Identifier: Apache-2.0
"""What is held fixed while sizes and contestants change: a table and a picture are of one case."""
import dataclasses

WARM = "warm"  # the same buffers in every call
COLD = "cold"  # buffers rotated through more memory than the last-level caches hold
BUFFERS = [WARM, COLD]


@dataclasses.dataclass(frozen=True)
class Case:
    setting: str  # a name of settings.py
    collective: str
    ranks: int
    buffers: str

    @classmethod
    def of(cls, record):
        """The case that a record of the results belongs to."""
        return cls(record["setting"], record["collective"], record["ranks"], record["buffers"])

    def title(self):
        return f"{self.setting}: {self.collective}, {self.ranks} ranks, {self.buffers} buffers"

    def file_name(self):
        return f"{self.setting}-{self.collective}-{self.ranks}-{self.buffers}.png"


def rotation(buffers, ranks, cache_bytes):
    """Bytes that each buffer's positions rotate through.

    Cold: twice the caches by one buffer of each rank, so that a position has left them before it comes again.
    """
    return 0 if buffers == WARM else -(-2 * cache_bytes // ranks)
