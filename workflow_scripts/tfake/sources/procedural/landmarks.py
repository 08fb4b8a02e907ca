"""The 70 points of FaceSynthetics as places on the head mesh: iBUG-68 order and the two pupils."""

import numpy as np

#: FaceMesh vertex of each iBUG point 0..67. Points are where the 3D surface is, seen or not ("x-ray"), and the jaw's
#: lie on the edge of the jaw bone, not on the outline of the picture.
IBUG_VERTICES = np.array(
    [
        *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
        *(46, 53, 52, 65, 55),
        *(285, 295, 282, 283, 276),
        *(168, 6, 195, 4),
        *(98, 97, 2, 326, 327),
        *(33, 160, 158, 133, 153, 144),
        *(362, 385, 387, 263, 373, 380),
        *(61, 40, 39, 0, 269, 270, 291, 321, 314, 17, 84, 91),
        *(78, 81, 13, 311, 308, 402, 14, 178),
    ]
)
