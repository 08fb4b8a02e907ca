"""Landmarks from the command line: ``python -m tfake.landmarks image.png -w weights.pt -o out.json --draw out.png``.

The input is an image, a folder of images or a video; the output is one JSON file with an entry an image. Drawings go to
one file for an image, to a folder for a folder, to a video for a video.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2
from tqdm import tqdm

from tfake.landmarks.drawing import draw_faces
from tfake.landmarks.export import export_onnx
from tfake.landmarks.files import VIDEOS, open_pictures
from tfake.landmarks.landmarker import FoundFaces, ThermalLandmarker
from tfake.landmarks.reading import MODES


def describe(name: str, faces: FoundFaces) -> dict:
    """An image's entry of the JSON file: its name and its faces, the surest first, in pixels."""
    listed = [
        {
            "box": [round(float(value), 2) for value in box],
            "score": round(float(score), 6),
            "landmarks": [[round(float(value), 2) for value in point] for point in points],
            "sigma_pixels": [round(float(value), 3) for value in sigma],
        }
        for box, score, points, sigma in zip(faces.boxes, faces.score, faces.landmarks, faces.sigma, strict=True)
    ]
    return {"image": name, "faces": listed}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: without the program's name; None: the process's own.

    Returns:
        0, or 1 after a message about what cannot be read.
    """
    options = _parser().parse_args(arguments)
    try:
        landmarker = ThermalLandmarker(options.weights, options.device, options.threshold)
        if options.export:
            export_onnx(landmarker.network.cpu(), options.export)
            return 0
        _run(options, landmarker)
    except (FileNotFoundError, ValueError, RuntimeError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, landmarker: ThermalLandmarker) -> None:
    pictures = open_pictures(options.input)
    canvas = None
    entries = []
    quiet = pictures.count == 1
    for name, image in tqdm(pictures.items, total=pictures.count, desc="landmarks", disable=quiet):
        faces = landmarker.process(image, options.sliding_window, options.multi, options.mode)
        entries.append(describe(name, faces))
        if options.draw:
            drawn = draw_faces(image, faces, options.mode)
            if pictures.rate is not None:
                canvas = canvas or _open_video(options.draw, pictures.rate, drawn.shape)
                canvas.write(drawn)
            else:
                _write_image(Path(options.draw) if quiet else Path(options.draw, name).with_suffix(".png"), drawn)
    if canvas is not None:
        canvas.release()
    text = json.dumps({"weights": Path(options.weights).name, "images": entries}, indent=1) + "\n"
    if options.output:
        Path(options.output).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def _open_video(path: str, rate: float, shape: tuple[int, ...]) -> cv2.VideoWriter:
    if Path(path).suffix.lower() not in VIDEOS:
        raise ValueError(f"--draw: frames of a video are drawn into a video ({', '.join(VIDEOS)}); found {path}")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"mp4v"), rate, (shape[1], shape[0]))
    if not writer.isOpened():
        raise ValueError(f"--draw: OpenCV cannot write {path}")
    return writer


def _write_image(path: Path, drawn) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), drawn):
        raise ValueError(f"--draw: OpenCV cannot write {path}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tfake.landmarks", description="Landmarks of thermal images.")
    parser.add_argument("input", nargs="?", help="an image, a folder of images or a video")
    parser.add_argument("-w", "--weights", required=True, help="weights of this workflow, or TFAN's released ones")
    parser.add_argument("-o", "--output", help="the JSON file to write (default: to the terminal)")
    parser.add_argument("--draw", help="where to draw: a file, a folder for a folder, a video for a video")
    parser.add_argument("--sliding-window", action="store_true", help="search for faces in the whole image")
    parser.add_argument("--multi", action="store_true", help="with --sliding-window: several faces")
    parser.add_argument("--mode", choices=MODES, default="auto", help="what the values are (default: by their type)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threshold", type=float, help="mean sigma, in crop widths, below which a window is a face")
    parser.add_argument("--export", help="write the network as ONNX to this file, and look at no image")
    return parser


if __name__ == "__main__":
    sys.exit(main())
