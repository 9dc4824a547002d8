"""From text to the release: one reviewed file that ramps several routes as a unit.

`load` is the way in, `values` what comes out, `windows` when it may move, `schema` describes the file to editors.
"""
