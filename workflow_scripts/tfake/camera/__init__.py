"""A longwave camera in front of a thermalized face: view, optics, detector and display, with the labels that follow."""
