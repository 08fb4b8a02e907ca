"""The source's images, pairs and thermal files, read in place out of zips and folders."""
