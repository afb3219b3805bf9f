# SPDX-License-Identifier: Apache-2.0
"""One line for each setting, kind of buffers and collective: how many times as fast as the best peer of each row, and where not faster."""
import math


def _group(record):
    return record["setting"], record["buffers"], record["collective"]


def best_peer(record, peers):
    """Name and median of the fastest peer of a row; None when no peer has a time."""
    times = {name: record["contestants"][name]["median_us"] for name in peers}
    times = {name: time for name, time in times.items() if time}
    if not times:
        return None
    name = min(times, key=times.get)
    return name, times[name]


def of_group(group, records, own, peers):
    """The figures of one of Atoll's contestants in one (setting, buffers, collective)."""
    ratios = []
    below = []
    without = 0
    for record in records:
        if _group(record) != group:
            continue
        mine = record["contestants"][own]["median_us"]
        best = best_peer(record, peers)
        if not mine or best is None:
            without += 1
            continue
        ratios.append(best[1] / mine)
        if ratios[-1] < 1.0:
            below.append({"ranks": record["ranks"], "size": record["size"], "peer": best[0], "ratio": ratios[-1]})
    mean = math.exp(sum(math.log(ratio) for ratio in ratios) / len(ratios)) if ratios else None
    setting, buffers, collective = group
    return {"setting": setting, "buffers": buffers, "collective": collective, "contestant": own, "rows": len(ratios), "geometric_mean": mean, "below": below,
            "rows_without_both": without}


def of_all(records, contestants, is_peer):
    """For every group of records there is and every contestant that is Atoll."""
    peers = [name for name in contestants if is_peer(name)]
    groups = list(dict.fromkeys(_group(record) for record in records))
    return [of_group(group, records, own, peers)
            for group in groups for own in contestants if not is_peer(own)] if peers else []
