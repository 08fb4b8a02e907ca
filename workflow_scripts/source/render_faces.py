"""Render the procedural faces into a zip in FaceSynthetics' layout."""

from heads.writing import write_faces


def render_faces(faces: str, seed: int, images: int, image_pixels: int, threads: int) -> None:
    """Render faces 0 .. images - 1.

    Args:
        faces: zip to write.
        seed: the source's seed.
        images: number of faces.
        image_pixels: width and height.
        threads: worker processes.
    """
    write_faces(faces, seed, images, image_pixels, processes=threads)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    render_faces(
        faces=snakemake.output.faces,
        seed=snakemake.params.seed,
        images=snakemake.params.images,
        image_pixels=snakemake.params.image_pixels,
        threads=snakemake.threads,
    )
