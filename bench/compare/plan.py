# SPDX-License-Identifier: Apache-2.0
"""How many iterations each size gets: many for small sizes, whose single calls are short and scatter, few for large."""
import dataclasses

KIB = 1024
MIB = 1024 * KIB

# Up to this size: iterations, warm-up iterations.
BANDS = [(4 * KIB, 1000, 100), (256 * KIB, 200, 20), (4 * MIB, 40, 5), (None, 10, 2)]


@dataclasses.dataclass(frozen=True)
class Band:
    """Sizes min, min·factor, … ≤ max, measured by one start of the program."""

    min_bytes: int
    max_bytes: int
    factor: int
    iterations: int
    warmup: int

    def sizes(self):
        sizes = []
        size = self.min_bytes
        while size <= self.max_bytes:
            sizes.append(size)
            size *= self.factor
        return sizes

    def singly(self, scale):
        """A band for each size, with iterations times `scale`, so that one size can be ended without the others."""
        return [dataclasses.replace(self, min_bytes=size, max_bytes=size, iterations=max(1, round(self.iterations * scale)),
                                    warmup=max(1, round(self.warmup * scale))) for size in self.sizes()]

    def options(self):
        return ["-b", str(self.min_bytes), "-e", str(self.max_bytes), "-f", str(self.factor), "-n", str(self.iterations),
                "-w", str(self.warmup)]


def parse_bytes(text):
    """8, 64K, 1M, 2G (binary)."""
    units = {"K": KIB, "M": MIB, "G": 1024 * MIB}
    unit = units.get(text[-1:].upper(), 1)
    digits = text[:-1] if unit != 1 else text
    if not digits.isdigit():
        raise ValueError(f"'{text}' is not a size such as 8, 64K or 1M")
    return int(digits) * unit


def bands(min_bytes, max_bytes, factor, scale=1.0):
    """The sweep from min to max, cut into runs of sizes that get the same iterations."""
    sizes = Band(min_bytes, max_bytes, factor, 1, 1).sizes()
    cut = []
    low = 0
    for limit, iterations, warmup in BANDS:
        members = [s for s in sizes if s > low and (limit is None or s <= limit)]
        low = limit
        if members:
            cut.append(Band(members[0], members[-1], factor, max(1, round(iterations * scale)), max(1, round(warmup * scale))))
    return cut
