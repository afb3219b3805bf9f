# SPDX-License-Identifier: Apache-2.0
"""From single measurements to medians, ratios and a page to read."""
import statistics


def half_of(collective):
    """The form that all contestants have: MPI's broadcast has one buffer."""
    return "in_place" if collective == "broadcast" else "out_of_place"


class Samples:
    """Times in microseconds by (collective, ranks, bytes, contestant), one for each repetition."""

    def __init__(self):
        self.times = {}

    def add(self, collective, ranks, contestant, document):
        """Takes over the rows of a program's JSON; wrong data is an error."""
        if not document["out_of_bounds"]["okay"]:
            raise ValueError(f"{contestant} {collective} on {ranks} ranks: {document['out_of_bounds']['count']} wrong elements")
        for row in document["results"]:
            if row["size"] == 0 and collective != "barrier":
                continue  # fewer elements than ranks
            half = row[half_of(collective)]
            self.times.setdefault((collective, ranks, row["size"], contestant), []).append(half["time"])

    def summary(self, contestants):
        """One record for each (collective, ranks, size): every contestant's median, spread, and time relative to the first's."""
        first = contestants[0]
        keys = sorted({key[:3] for key in self.times}, key=lambda k: (k[0], k[1], k[2]))
        records = []
        for collective, ranks, size in keys:
            record = {"collective": collective, "ranks": ranks, "size": size, "contestants": {}}
            base = statistics.median(self.times[(collective, ranks, size, first)])
            for name in contestants:
                times = self.times[(collective, ranks, size, name)]
                median = statistics.median(times)
                record["contestants"][name] = {
                    "median_us": median,
                    "min_us": min(times),
                    "max_us": max(times),
                    "samples_us": times,
                    f"over_{first}": median / base if base > 0 else None,
                }
            records.append(record)
        return records


def size_text(size):
    for unit, name in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


def _number(us):
    return f"{us:.2f}" if us < 100 else f"{us:.0f}"


def markdown(records, contestants, machine, settings):
    """The page: the machine, the conditions, and a table for each collective and number of ranks."""
    first = contestants[0]
    lines = ["# " + " against ".join([first, ", ".join(contestants[1:])]), ""]
    lines += [f"- {key.replace('_', ' ')}: {value}" for key, value in {**machine, **settings}.items()]
    lines += ["", f"Median time of a call in microseconds; in brackets, how many times as long as {first} (above 1: {first} is faster).", ""]
    for collective, ranks in sorted({(r["collective"], r["ranks"]) for r in records}):
        lines += [f"## {collective}, {ranks} ranks", "", "| size | " + " | ".join(contestants) + " |",
                  "|---:|" + "---:|" * len(contestants)]
        for record in records:
            if (record["collective"], record["ranks"]) != (collective, ranks):
                continue
            cells = []
            for name in contestants:
                entry = record["contestants"][name]
                ratio = entry[f"over_{first}"]
                cells.append(_number(entry["median_us"]) + ("" if name == first or ratio is None else f" ({ratio:.2f})"))
            lines.append(f"| {size_text(record['size'])} | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)
