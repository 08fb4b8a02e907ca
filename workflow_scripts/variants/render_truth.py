"""Write the thermal truth of the procedural faces at one ambient, for evaluation only."""

from heads.writing import write_truth


def render_truth(
    truth: str, seed: int, images: int, image_pixels: int, ambient_celsius: float, tables: str, threads: int
) -> None:
    """Write the truth of faces 0 .. images - 1, as a camera records it and as expected of the mean subject.

    Args:
        truth: zip to write.
        seed: the source's seed.
        images: number of faces.
        image_pixels: width and height.
        ambient_celsius: °C.
        tables: the parameters of the temperature model (:mod:`tfake.heat`).
        threads: worker processes.
    """
    write_truth(truth, seed, images, image_pixels, ambient_celsius, threads, tables)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    render_truth(
        truth=snakemake.output.truth,
        seed=snakemake.params.seed,
        images=snakemake.params.images,
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        tables=snakemake.params.tables,
        threads=snakemake.threads,
    )
