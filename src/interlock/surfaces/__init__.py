"""The ways in: each renders the verbs of `app/verbs.py`, and nothing else."""
