import pytest
from image_probe import ImageProbe


@pytest.fixture(name="probe", scope="module")
def fixture_probe(tmp_path_factory):
    probe = ImageProbe(tmp_path_factory.mktemp("probe"))
    yield probe
    probe.close()
