"""The embedded source: 3D heads rendered with numpy and OpenCV, with labels exact by construction."""
