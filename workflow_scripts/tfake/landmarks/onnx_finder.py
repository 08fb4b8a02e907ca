"""Landmark networks and detectors that ONNX Runtime computes: what ``export_landmarker`` writes, read without torch."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS, ROWS_OF_BOTH
from tfake.core.extras import needs_extra
from tfake.detector.face_detector import ScoreCalibration
from tfake.landmarks.point_finder import Finders, choose_points

#: Names of a folder's files; the second need not be there.
LANDMARKS_FILE, DETECTOR_FILE = "landmarks.onnx", "detector.onnx"
#: What a model's metadata must name, under ``METADATA``, beside its numbers.
METADATA, LANDMARKS_FORMAT, DETECTOR_FORMAT = "tfake", "tfake-landmarks-onnx-1", "tfake-detector-onnx-1"
#: What they have beside where a model's arithmetic is 8 bit (:mod:`tfake.landmarks.onnx_int8`), not its filters alone.
ARITHMETIC = "arithmetic"
_SUFFIX = ".onnx"


def is_onnx(path: str | Path) -> bool:
    """Whether a path names an exported landmarker: a folder with one, or an ONNX file."""
    return Path(path).suffix.lower() == _SUFFIX or (Path(path) / LANDMARKS_FILE).is_file()


#: Sessions of the process that this one is a fork of, kept from being taken apart.
_OF_PARENTS: list[Any] = []


class OnnxSession:
    """A model of one input; it is opened again in another process, for its threads do not outlive a fork."""

    def __init__(self, path: str | Path, expected: str, threads: int | None = None) -> None:
        """Open a model.

        Args:
            path: its file.
            expected: the format that its metadata has to name.
            threads: that a call computes with; None: one a core.

        Raises:
            FileNotFoundError: no such file.
            ValueError: ONNX Runtime cannot read it, or it is of another format.
            ModuleNotFoundError: ONNX Runtime is not installed.
        """
        self.path, self._threads = Path(path), threads
        if not self.path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        self.metadata: dict[str, Any] = {}
        self._open()
        if self.metadata.get("format") != expected:
            raise ValueError(
                f"{path}: expected a model of the format {expected!r}, found {self.metadata.get('format')!r}"
            )

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Compute all of a model's outputs."""
        if os.getpid() != self._process:
            # A fork has the session without its threads, for which taking it apart would wait for ever.
            _OF_PARENTS.append(self._session)
            self._open()
        return self._session.run(None, {self._input: np.ascontiguousarray(images, dtype=np.float32)})

    def __getstate__(self) -> dict[str, Any]:
        """Pickle all but the session."""
        return {**self.__dict__, "_session": None, "_process": None}

    def _open(self) -> None:
        # Filters of 8 bits are turned back once, when the file is opened, and not in every call.
        session = self._load(unpacked=True)
        self.metadata = json.loads(session.get_modelmeta().custom_metadata_map.get(METADATA, "{}"))
        # Where activations are of 8 bits, too, there is nothing to turn back.
        self._session = self._load(unpacked=False) if ARITHMETIC in self.metadata else session
        self._input = self._session.get_inputs()[0].name
        self._process = os.getpid()

    def _load(self, unpacked: bool) -> Any:
        with needs_extra("landmarks-lite", str(self.path)):
            import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads or 0
        options.add_session_config_entry("session.disable_quant_qdq", str(int(unpacked)))
        # Threads that wait by spinning take cores from whoever else computes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            return onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's own kinds, which are no ValueErrors
            raise ValueError(f"{self.path}: ONNX Runtime cannot read it ({error})") from error


class OnnxFinder:
    """A :class:`tfake.landmarks.point_finder.PointFinder` that ONNX Runtime computes.

    It looks at every window of a search on its own; crops are stretched in the model itself.
    """

    shares_windows = False

    def __init__(self, session: OnnxSession, landmarks: int | None = None) -> None:
        """Take a model of ``LANDMARKS_FORMAT``, and how many points are to be answered, as ``choose_points`` says."""
        self._session = session
        found = session.metadata["landmarks"]
        self.landmarks = choose_points(found, landmarks, session.path)
        self._rows = slice(None) if self.landmarks == found else ROWS_OF_BOTH[self.landmarks]
        self.image_pixels: int = session.metadata["image_pixels"]
        self.stride: int = session.metadata["stride"]
        self.thermal_stretch: bool = session.metadata["thermal_stretch"]
        self.thermal_mirror: bool = session.metadata["thermal_mirror"]

    def __call__(self, crops: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """As the protocol says; a ValueError where ``stretched`` is given."""
        if stretched is not None:
            raise ValueError("an ONNX landmarker stretches crops as it was trained to: stretched has to be None")
        points, sigma = self._session(crops)
        return np.concatenate((points, sigma[..., None]), axis=2)[:, self._rows]

    def shared_sigma(self, image: np.ndarray, corners: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """Nothing is shared: a NotImplementedError."""
        raise NotImplementedError("an ONNX landmarker looks at every window on its own")


class OnnxMaps:
    """A :class:`tfake.detector.face_detector.FaceMaps` that ONNX Runtime computes."""

    def __init__(self, session: OnnxSession) -> None:
        """Take a model of ``DETECTOR_FORMAT``."""
        self._session = session
        self.search_pixels: int = session.metadata["search_pixels"]
        self.search_looks: int = session.metadata.get("search_looks", 1)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """As the protocol says."""
        return self._session(image[None])[0][0]


def load_onnx_finders(
    path: str | Path,
    device: str = "auto",
    n_landmarks: int | None = None,
    detector: object = None,
    threads: int | None = None,
) -> Finders:
    """Open an exported landmarker.

    Args:
        path: a folder of ``export_landmarker``, or a file of landmarks in ONNX alone.
        device: ``auto`` or ``cpu``.
        n_landmarks: 70 or 478; None: all, and 70 of a network that finds both.
        detector: path of a detector in ONNX; None: the folder's, if it has one.
        threads: that each call computes with; None: one a core.

    Raises:
        FileNotFoundError: no such file.
        ValueError: another device, detector or number of points than can be had, or files of other formats.
        ModuleNotFoundError: ONNX Runtime is not installed.
    """
    if device not in ("auto", "cpu"):
        raise ValueError(f"an ONNX landmarker computes on the CPU; found the device {device!r}")
    path = Path(path)
    session = OnnxSession(path / LANDMARKS_FILE if path.is_dir() else path, LANDMARKS_FORMAT, threads)
    found = session.metadata["landmarks"]
    points, whole = OnnxFinder(session, n_landmarks), OnnxFinder(session, found)
    faces = OnnxFinder(session, LANDMARKS) if found == BOTH_POINTS else points
    if detector is None and path.is_dir() and (path / DETECTOR_FILE).exists():
        detector = path / DETECTOR_FILE
    if detector is None:
        return Finders(points, whole, faces, session.metadata["threshold"])
    if not isinstance(detector, str | Path) or Path(detector).suffix.lower() != _SUFFIX:
        raise ValueError(f"an ONNX landmarker takes a detector in ONNX; found {detector!r}")
    maps = OnnxSession(detector, DETECTOR_FORMAT, threads)
    scores = ScoreCalibration(maps.metadata["slope"], maps.metadata["offset"])
    return Finders(points, whole, faces, session.metadata["threshold"], OnnxMaps(maps), scores)
