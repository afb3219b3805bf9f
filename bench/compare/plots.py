# SPDX-License-Identifier: Apache-2.0
"""Pictures: time and bus bandwidth over size, for each case, with the bound drawn in."""
import cases
import collectives
import tables

# Distinguishable also without colour, by the markers; in the order of contestants.
COLOURS = ["#0b5cad", "#2ca6a4", "#d1495b", "#e59500", "#7b4fa3", "#6b7280"]
MARKERS = ["o", "s", "^", "D", "v", "P"]


def available():
    try:
        import matplotlib  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        return False
    return True


def series(records, name):
    """Sizes and medians of a contestant, without the rows that it lacks."""
    points = [(record["size"], record["contestants"][name]["median_us"]) for record in records]
    return [point for point in points if point[1]]


def groups(records):
    """The records of each case that has more than one size: there is a line to draw."""
    found = {}
    for record in records:
        found.setdefault(cases.Case.of(record), []).append(record)
    return {key: rows for key, rows in found.items() if len(rows) > 1}


def _ticks(axes, sizes):
    shown = sizes if len(sizes) <= 8 else sizes[::2]
    axes.set_xscale("log", base=2)
    axes.set_xticks(shown)
    axes.set_xticklabels([tables.size_text(size) for size in shown])
    axes.minorticks_off()
    axes.set_xlabel("size (bytes)")
    axes.grid(True, color="#e2e5ea", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _draw(axes, rows, contestants, value):
    """The lines of all contestants, and the bound's, of value(size, microseconds)."""
    for index, name in enumerate(contestants):
        points = series(rows, name)
        axes.plot([size for size, _ in points], [value(*point) for point in points], label=name,
                  color=COLOURS[index % len(COLOURS)], marker=MARKERS[index % len(MARKERS)], markersize=4.5,
                  linewidth=2.4 if index == 0 else 1.5, zorder=3 if index == 0 else 2)
    bound = [(record["size"], record["bound_us"]) for record in rows if record["bound_us"]]
    if bound:
        axes.plot([size for size, _ in bound], [value(*point) for point in bound], label="bound", color="#333333",
                  linestyle="--", linewidth=1.3, zorder=1)
    _ticks(axes, [record["size"] for record in rows])


def _limit(time, bandwidth, rows, contestants, bus):
    """Shows the contestants whole, and of the bound what is not far off: alone at tiny sizes, it would fill the picture."""
    points = [point for name in contestants for point in series(rows, name)]
    if points:
        time.set_ylim(bottom=max(time.get_ylim()[0], min(us for _, us in points) / 150))
        bandwidth.set_ylim(bottom=max(bandwidth.get_ylim()[0], max(bus(*point) for point in points) / 3000))


def draw(records, contestants, folder):
    """Writes a PNG for each group of records; returns their paths by case."""
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot, ticker  # pylint: disable=import-outside-toplevel
    paths = {}
    for case, rows in groups(records).items():
        figure, (time, bandwidth) = pyplot.subplots(1, 2, figsize=(11, 4.4))

        def bus(size, us, case=case):
            return collectives.bus_bandwidth(case.collective, case.ranks, size, us)

        _draw(time, rows, contestants, lambda size, us: us)
        time.set_yscale("log")
        time.set_ylabel("time of a call (µs)")
        _draw(bandwidth, rows, contestants, bus)
        bandwidth.set_yscale("log")
        bandwidth.set_ylabel("bus bandwidth (GB/s)")
        for axes in (time, bandwidth):
            axes.yaxis.set_major_locator(ticker.LogLocator(numticks=12))
            axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}" if value < 1e5 else f"{value:.0e}"))
            axes.minorticks_off()
        _limit(time, bandwidth, rows, contestants, bus)
        figure.suptitle(case.title(), fontweight="bold")
        handles, labels = time.get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncol=len(labels), frameon=False)
        figure.tight_layout(rect=(0, 0.07, 1, 1))
        paths[case] = folder / case.file_name()
        figure.savefig(paths[case], dpi=110)
        pyplot.close(figure)
    return paths
