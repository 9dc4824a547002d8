"""What the tests of gates share: properties are judged by what comes out, never by how long it took."""

from hypothesis import settings

settings.register_profile("gate", deadline=None)
settings.load_profile("gate")
