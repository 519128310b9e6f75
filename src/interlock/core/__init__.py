"""The rules of a hand-off, as pure functions over frozen values.

Nothing here performs I/O, reads a clock, or draws a random number. If a rule needs the time, an id
or a dice throw, it is an argument.
"""
