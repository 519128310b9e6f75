"""Systems to rehearse against: they behave like the real ones and can be told to misbehave.

The sandbox shares no code with the product, so that a mistake in one cannot hide in the other.
"""
