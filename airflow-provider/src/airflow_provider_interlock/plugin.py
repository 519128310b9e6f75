"""The plugin through which Airflow finds the listener; installing the package is enough."""

from airflow.plugins_manager import AirflowPlugin

from airflow_provider_interlock import listener


class InterlockPlugin(AirflowPlugin):
    """Registers the listener module: Airflow calls nothing where single functions are listed."""

    name = "interlock"
    listeners = [listener]  # noqa: RUF012 - Airflow's own declaration
