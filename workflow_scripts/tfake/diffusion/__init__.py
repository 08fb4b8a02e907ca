"""Text to thermal, and visible to thermal, by LoRAs of FLUX models: captions, training, files, generation."""
