# SPDX-License-Identifier: Apache-2.0
"""The comparison's tables, as cells of text, and the page of Markdown that holds them."""
import collections

import cases
import settings

# A title, a sentence, the heads of the columns, and rows of as many cells.
Table = collections.namedtuple("Table", "title text heads rows")


def size_text(size):
    for unit, name in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


def number(us):
    return f"{us:.2f}" if us < 100 else f"{us:.0f}"


def percent(part):
    return f"{100 * part:.0f} %" if part >= 0.1 else f"{100 * part:.1f} %"


def _time_cell(entry, relative):
    if entry["median_us"] is None:
        return entry.get("missing", "–")
    ratio = f" ({entry['over_first']:.2f})" if relative and entry["over_first"] else ""
    return number(entry["median_us"]) + ratio + (" †" if "missing" in entry else "")


def _bound_cell(record, first):
    bound = record["bound_us"]
    if bound is None:
        return "–"
    mine = record["contestants"][first]["median_us"]
    return number(bound) + (f" ({percent(bound / mine)})" if mine else "")


def of_times(records, contestants):
    """A table for each case, by it."""
    tables = {}
    for record in records:
        key = cases.Case.of(record)
        if key not in tables:
            tables[key] = Table(key.title(), "", ["size", *contestants, "bound"], [])
        cells = [_time_cell(record["contestants"][name], name != contestants[0]) for name in contestants]
        tables[key].rows.append([size_text(record["size"]), *cells, _bound_cell(record, contestants[0])])
    return tables


def times_text(first):
    return (f"Median time of a call in microseconds; in brackets, how many times as long as {first} (above 1: {first} is "
            "faster). The bound is, in shared memory, the time that the collective's unavoidable loads and stores take at the most "
            "bandwidth that all cores together reached in this run, or the time of a flag from core to core where that is more; "
            "over TCP, the time that its unavoidable messages take at the rate of a raw connection, or that of an exchange of 8 bytes; "
            f"in brackets, how much of it {first} reaches. Warm: every call uses the same buffers; cold: they rotate through more "
            "memory than the caches hold. † marks a row of which some repetitions are missing.")


def settings_texts(records):
    """What the settings that occur are."""
    names = dict.fromkeys(record["setting"] for record in records)
    return [f"{name}: {settings.ALL[name].text}" for name in names]


def of_summary(summaries):
    rows = []
    for line in summaries:
        below = "; ".join(f"{entry['ranks']} ranks {size_text(entry['size'])} ({entry['peer']}, {entry['ratio']:.2g})"
                          for entry in line["below"])
        mean = f"{line['geometric_mean']:.2f}" if line["geometric_mean"] else "–"
        rows.append([line["setting"], line["buffers"], line["collective"], line["contestant"], mean, str(line["rows"]), str(len(line["below"])), below,
                     str(line["rows_without_both"])])
    return Table("Summary", "Best peer's time over Atoll's: the geometric mean over all sizes and numbers of ranks, and the rows below 1.0.",
                 ["setting", "buffers", "collective", "contestant", "geometric mean", "rows", "below 1.0", "which", "rows without both"], rows)


def _memory_bounds(bounds):
    for entry in bounds["memory"]:
        yield [f"{entry['work']}, {size_text(entry['working_set'])} in all", f"{entry['gigabytes_per_second']:.1f} GB/s"]


def _tcp_bounds(tcp):
    for stream in tcp["streams"]:
        own = ", the system's own" if stream["congestion_control"] == tcp["system_congestion_control"] else ""
        yield [f"TCP stream, {stream['congestion_control']}{own}", f"{stream['one_way']:.2f} GB/s one way, {stream['both_ways']:.2f} each of both ways"]
    yield ["8 bytes over TCP both ways at once, polling", f"{tcp['exchange_us']:.1f} µs"]
    yield ["8 bytes over TCP there and back, polling", f"{tcp['round_trip_us']:.1f} µs"]
    yield ["8 bytes over TCP there and back, blocking", f"{tcp['blocking_round_trip_us']:.1f} µs"]


def of_bounds(setting, bounds):
    flag = bounds["flag_round_trip_us"]
    rows = [*_memory_bounds(bounds), ["round trip of a flag between two cores", "–" if flag is None else f"{flag:.3f} µs"]]
    if bounds["tcp"]:
        rows += _tcp_bounds(bounds["tcp"])
    return Table(f"Bounds in {setting}", f"The best of several measurements within this run, {bounds['cores']} cores at once; loads and stores of "
                 "the program's own. copy is memcpy, stream the same past the cache, sum that of two float32 buffers into a third. A TCP "
                 "stream is a raw connection that 256 KiB a call go through, from a buffer that stays in the cache.",
                 ["what", "rate"], rows)


def _markdown_table(table, level="##"):
    lines = [f"{level} {table.title}", ""]
    if table.text:
        lines += [table.text, ""]
    lines += ["| " + " | ".join(table.heads) + " |", "|---:|" + "---:|" * (len(table.heads) - 1)]
    lines += ["| " + " | ".join(row) + " |" for row in table.rows]
    return lines + [""]


def title(contestants):
    return " against ".join(filter(None, [contestants[0], ", ".join(contestants[1:])]))


def conditions(document):
    return [f"{key.replace('_', ' ')}: {value}" for key, value in {**document["machine"], **document["settings"]}.items()]


def markdown(document):
    """The page: the machine, the conditions, summary, bounds, and a table for each case."""
    contestants = document["contestants"]
    lines = [f"# {title(contestants)}", ""] + [f"- {line}" for line in conditions(document)] + [""]
    if document["summary"]:
        lines += _markdown_table(of_summary(document["summary"]))
    for setting, bounds in document["bounds"].items():
        lines += _markdown_table(of_bounds(setting, bounds))
    lines += ["## Times", "", times_text(contestants[0]), ""] + [f"- {text}" for text in settings_texts(document["results"])] + [""]
    for table in of_times(document["results"], contestants).values():
        lines += _markdown_table(table, "###")
    if document["problems"]:
        lines += ["## Problems", ""] + [f"- {problem}" for problem in document["problems"]] + [""]
    return "\n".join(lines)
