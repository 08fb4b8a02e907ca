"""The pretexts by name: one module each, one line here."""

from tfake.pretraining import dense_contrast, five_points, masked_prediction, rotation, subject, vicreg
from tfake.pretraining.pretext import Pretext

PRETEXTS: dict[str, Pretext] = {
    "rotation": rotation.PRETEXT,
    "subject": subject.PRETEXT,
    "five_points": five_points.PRETEXT,
    "vicreg": vicreg.PRETEXT,
    "dense": dense_contrast.PRETEXT,
    "masked": masked_prediction.PRETEXT,
}
