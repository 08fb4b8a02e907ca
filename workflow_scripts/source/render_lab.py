"""Write the lab set at one ambient or several: frontal procedural heads, RGB with registered thermal, for training."""

from heads.writing import write_lab


def render_lab(
    pairs: str, seed: int, lab_pairs: int, image_pixels: int, rooms: tuple[float, float], tables: str, threads: int
) -> None:
    """Write pairs of RGB and recorded temperature; their people are not those of the main set.

    Args:
        pairs: zip to write.
        seed: the source's seed.
        lab_pairs: number of pairs.
        image_pixels: width and height.
        rooms: lowest and highest room temperature in °C; the pairs are spread evenly between them.
        tables: the parameters of the temperature model (:mod:`tfake.heat`).
        threads: worker processes.
    """
    write_lab(pairs, seed, lab_pairs, image_pixels, rooms, threads, tables)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    render_lab(
        pairs=snakemake.output.pairs,
        seed=snakemake.params.seed,
        lab_pairs=snakemake.params.lab_pairs,
        image_pixels=snakemake.params.image_pixels,
        rooms=tuple(snakemake.params.rooms),
        tables=snakemake.params.tables,
        threads=snakemake.threads,
    )
