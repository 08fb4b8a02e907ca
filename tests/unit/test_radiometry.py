import numpy as np
import pytest

from tfake.core.radiometry import NEVER_WRITTEN, NO_IMAGE, decode_counts, encode_celsius


def test_counts_are_hundredths_of_a_kelvin():
    assert encode_celsius(np.array([0.0, 36.6, -20.0])).tolist() == [27315, 30975, 25315]


def test_decoding_undoes_encoding_to_half_a_count():
    celsius = np.random.default_rng(0).uniform(-40, 120, 10_000).astype(np.float32)
    decoded = decode_counts(encode_celsius(celsius))
    assert decoded.dtype == np.float32
    assert np.abs(decoded - celsius).max() <= 0.005 + 1e-5


def test_every_count_survives():
    counts = np.arange(1, NO_IMAGE, dtype=np.uint16)
    np.testing.assert_array_equal(encode_celsius(decode_counts(counts)), counts)


def test_reserved_counts_are_not_temperatures():
    assert np.isnan(decode_counts(np.array([NEVER_WRITTEN, NO_IMAGE], dtype=np.uint16))).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -273.15, 382.2, -400.0])
def test_what_cannot_be_a_temperature_is_refused(bad):
    with pytest.raises(ValueError, match="must be finite and within"):
        encode_celsius(np.array([20.0, bad]))
