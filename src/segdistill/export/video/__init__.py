"""Video: frames in, masks and a steadiness record out. Imports neither torch nor matplotlib."""

from segdistill.export.video.clip import Clip, segment
from segdistill.export.video.reading import SUFFIXES, Video, frames
from segdistill.export.video.recording import Recorder
from segdistill.export.video.stability import Stability

__all__ = ["SUFFIXES", "Clip", "Recorder", "Stability", "Video", "frames", "segment"]
