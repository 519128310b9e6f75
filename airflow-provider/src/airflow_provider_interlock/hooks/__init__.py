"""Hooks: how Airflow reaches the gateway."""
