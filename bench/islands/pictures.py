# SPDX-License-Identifier: Apache-2.0
"""One picture of a sweep: what part of the link's least time each contestant is at, over size, for every shape."""

# Distinguishable also without colour, by the markers.
STYLES = {
    "atoll": ("#0b5cad", "o"), "atoll-node": ("#5b9bd5", "o"), "ring": ("#2ca6a4", "s"), "two-shot": ("#7b4fa3", "v"),
    "hierarchical": ("#6b7280", "P"), "pipelined": ("#9ca3af", "X"), "mpi-slot": ("#d1495b", "^"), "mpi-node": ("#f08a9b", "^"),
    "mpi-slot-han": ("#e59500", "D"), "mpi-node-han": ("#f2c464", "D"),
}
OTHER = ("#444444", ".")


def available():
    try:
        import matplotlib  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        return False
    return True


def size_text(size):
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def draw(panels, contestants, path):
    """`panels`: a title, and for each contestant the parts (up to 1, or a little more) by size."""
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, grid = pyplot.subplots(rows, columns, figsize=(5.6 * columns, 3.6 * rows), squeeze=False, sharey=True)
    for axes in grid.flat[len(panels):]:
        axes.set_visible(False)
    for axes, (title, parts) in zip(grid.flat, panels):
        sizes = sorted({size for by_size in parts.values() for size in by_size})
        for name in contestants:
            colour, marker = STYLES.get(name, OTHER)
            points = sorted(parts.get(name, {}).items())
            axes.plot([size for size, _ in points], [100 * part for _, part in points], label=name, color=colour, marker=marker,
                      markersize=4.5, linewidth=2.4 if name == "atoll" else 1.4, zorder=3 if name == "atoll" else 2)
        axes.axhline(100, color="#333333", linestyle="--", linewidth=1)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes)
        axes.set_xticklabels([size_text(size) for size in sizes], fontsize=8)
        axes.minorticks_off()
        axes.set_ylim(0, 130)
        axes.grid(True, color="#e2e5ea", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.set_title(title, fontsize=10)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    for row in grid:
        row[0].set_ylabel("% of what the link allows")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=5, frameon=False, fontsize=9)
    figure.suptitle("All-reduce between islands", fontsize=12)
    figure.tight_layout(rect=(0, 0.18 / rows, 1, 1 - 0.06 / rows))  # room for the legend and the title, whatever the rows
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
