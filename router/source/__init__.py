"""From text to the estate: YAML or JSON becomes shapes, shapes become frozen values, and back.

The first stage of the walk. `load` is the way in; `normal` is the way back; `schema` describes the file to editors.
"""
