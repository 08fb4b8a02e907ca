import pytest

from browser import browser  # noqa: F401  a fixture


@pytest.fixture
def one_thread():
    """Networks this small lose more than they gain by sharing their work."""
    import torch  # here: most tests do without its slow import

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
