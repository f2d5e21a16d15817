import pytest

from segdistill.data import Data
from segdistill.engine import Training
from segdistill.engine.logs import Silence
from toys import Discs


@pytest.fixture
def data() -> Data:
    """Sixteen training discs, eight for validation and a test set of four."""
    return Data(train=Discs(16), val=Discs(8, seed=1), tests={"discs": Discs(4, seed=2)})


@pytest.fixture
def quiet() -> Silence:
    return Silence()


@pytest.fixture
def short() -> Training:
    """Two epochs of four steps, in float32 and in this process."""
    return Training(epochs=2, batch_size=4, precision="32", workers=0)
