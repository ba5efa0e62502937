import pytest
from image_probe import ImageProbe
from onnxruntime_reference import description


def pytest_report_header():
    return description()


@pytest.fixture(name="probe", scope="module")
def fixture_probe(tmp_path_factory):
    probe = ImageProbe(tmp_path_factory.mktemp("probe"))
    yield probe
    probe.close()
