"""Operators: what a DAG can ask of the gateway."""
