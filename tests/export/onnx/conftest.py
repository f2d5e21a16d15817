from __future__ import annotations

import pytest

import graphs


@pytest.fixture
def exported(tmp_path):
    """Writes a network, by default a binary one, and gives the file's path."""
    return lambda *network, name="student.onnx": graphs.write(tmp_path / name, *network)
