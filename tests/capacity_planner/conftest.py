"""What the tests of the planner share: properties are judged by what comes out, never by how long it took."""

from hypothesis import settings

settings.register_profile("planner", deadline=None)
settings.load_profile("planner")
