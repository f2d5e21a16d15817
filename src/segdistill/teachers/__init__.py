"""Where the teacher's output comes from: a network, several, or what was stored of one."""

from segdistill.teachers.cached import Cached
from segdistill.teachers.caching import cache, find_or_cache
from segdistill.teachers.ensemble import Ensemble
from segdistill.teachers.live import Teacher
from segdistill.teachers.source import TeacherSource

__all__ = ["Cached", "Ensemble", "Teacher", "TeacherSource", "cache", "find_or_cache"]
