"""Loads the orders table. Nothing in it knows of Looker or Interlock: its outlet and params tell.

When a run ends, the listener of `airflow-provider-interlock` sends `airflow.dag_run.succeeded` with
`tables: [analytics.orders]`, and the route `orders-to-looker` refreshes what reads that table.
"""

from airflow.sdk import Asset, dag, task

ORDERS = Asset("warehouse://analytics/orders")


@dag(schedule=None, params={"tables": ["analytics.orders"]})
def load_orders() -> None:
    """Extract, then load."""

    @task
    def extract() -> None:
        """Fetch the new orders from the shop."""

    @task(outlets=[ORDERS])
    def load() -> None:
        """Write them to the warehouse."""

    extract() >> load()


load_orders()
