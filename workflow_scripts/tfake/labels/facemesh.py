"""MediaPipe FaceMesh, with the models that the mediapipe 0.10.21 wheel carries.

Its graph looks for faces with a detector that misses profiles, masks and hats. Where the face is known, the second half
of the graph, which places the 478 points in a square, is run on that square without asking the detector. Images are
shown as the source has them: with the background blacked out FaceMesh finds fewer faces.
"""

import os

import numpy as np

# Read by MediaPipe's C++ logging when it is imported: its start-up chatter would drown the job's log.
os.environ.setdefault("GLOG_minloglevel", "2")

import mediapipe as mp
from mediapipe.calculators.util import thresholding_calculator_pb2
from mediapipe.framework import calculator_pb2
from mediapipe.framework.formats import landmark_pb2, rect_pb2
from mediapipe.python._framework_bindings import calculator_graph, validated_graph_config

from tfake.core.codes import Attempt
from tfake.labels.detection import Backend, Detection, View

#: Faces looked for in a whole image: the labelled one, and distractors that must not be taken in its place.
_MAX_FACES = 4


class FaceMesh(Backend):
    """Both halves of FaceMesh."""

    #: The known square comes first: it places the points as well as the detector's own square, at half the cost.
    attempts = (Attempt.GUIDED, Attempt.WIDE, Attempt.FULL, Attempt.MIRRORED, Attempt.LIFTED)

    def __init__(self, min_detection_confidence: float, min_presence_confidence: float):
        """Load the models.

        Args:
            min_detection_confidence: 0..1, threshold of the face detector.
            min_presence_confidence: 0..1, how sure the network must be that a known square shows a face.
        """
        # Static mode: otherwise the graph tracks from one image to the next and the result depends on their order.
        self._detecting = mp.solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=_MAX_FACES,
            refine_landmarks=True,
            min_detection_confidence=min_detection_confidence,
        )
        self._placing = _Placing(min_presence_confidence)

    def _find_faces(self, rgb: np.ndarray) -> list[Detection]:
        faces = self._detecting.process(rgb).multi_face_landmarks or []
        return [Detection(_pixels(face, *rgb.shape[:2])) for face in faces]

    def _find_in_view(self, rgb: np.ndarray, view: View) -> list[Detection]:
        face = self._placing.run(rgb, view)
        return [] if face is None else [Detection(_pixels(face, *rgb.shape[:2]))]

    def close(self) -> None:
        """Close both graphs."""
        self._detecting.close()
        self._placing.close()


class _Placing:
    """The half of FaceMesh's graph that follows the detector, on squares that the caller knows. It keeps nothing."""

    def __init__(self, min_presence_confidence: float):
        outline = calculator_pb2.CalculatorGraphConfig(
            input_stream=["image", "square"], input_side_packet=["with_attention"], output_stream=["landmarks"]
        )
        outline.node.add(
            calculator="FaceLandmarkCpu",
            input_stream=["IMAGE:image", "ROI:square"],
            input_side_packet=["WITH_ATTENTION:with_attention"],
            output_stream=["LANDMARKS:landmarks"],
        )
        expanded = validated_graph_config.ValidatedGraphConfig()
        expanded.initialize(graph_config=outline)
        graph = calculator_pb2.CalculatorGraphConfig.FromString(expanded.binary_config)
        options = thresholding_calculator_pb2.ThresholdingCalculatorOptions.ext
        for node in graph.node:
            if node.calculator == "ThresholdingCalculator":
                node.options.Extensions[options].threshold = min_presence_confidence
        self._found: landmark_pb2.NormalizedLandmarkList | None = None
        self._time = 0
        self._graph = calculator_graph.CalculatorGraph(graph_config=graph)
        self._graph.observe_output_stream("landmarks", self._keep)
        self._graph.start_run({"with_attention": mp.packet_creator.create_bool(True)})

    def _keep(self, _, packet) -> None:
        self._found = mp.packet_getter.get_proto(packet)

    def run(self, rgb: np.ndarray, view: View) -> landmark_pb2.NormalizedLandmarkList | None:
        height, width = rgb.shape[:2]
        square = rect_pb2.NormalizedRect(
            x_center=(view.centre[0] + 0.5) / width,
            y_center=(view.centre[1] + 0.5) / height,
            width=view.size / width,
            height=view.size / height,
            rotation=view.roll,
        )
        self._found = None
        self._time += 1
        # MediaPipe copies what could change under it; the graph is idle again before this method ends.
        shown = np.ascontiguousarray(rgb).view()
        shown.flags.writeable = False
        image = mp.packet_creator.create_image_frame(image_format=mp.ImageFormat.SRGB, data=shown)
        self._graph.add_packet_to_input_stream("image", image.at(self._time))
        self._graph.add_packet_to_input_stream("square", mp.packet_creator.create_proto(square).at(self._time))
        self._graph.wait_until_idle()
        return self._found

    def close(self) -> None:
        self._graph.close()


def _pixels(face: landmark_pb2.NormalizedLandmarkList, height: int, width: int) -> np.ndarray:
    points = np.array([(point.x, point.y, point.z) for point in face.landmark], dtype=np.float64)
    # MediaPipe's 0..1 spans the image from edge to edge (a mirrored image gives x + x' = W, not W - 1); pixel centres
    # lie half a pixel inside.
    return (points * (width, height, width) - (0.5, 0.5, 0.0)).astype(np.float32)
