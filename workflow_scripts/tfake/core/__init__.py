"""Classes, codes, temperatures, files, logs, devices and processes: what every layer uses."""
