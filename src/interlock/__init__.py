"""Interlock hands work from one system to the next: identified, allowed, once, and on record."""

__version__ = "0.1.0"
