"""The DAGs that the tests run."""

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Asset, AssetAlias, Context, task

from airflow_provider_interlock.operators.publish_event import PublishEventOperator

ORDERS = Asset("warehouse://analytics/orders")


with DAG("load_orders", schedule=None, params={"tables": ["analytics.orders"], "day": "monday"}):

    @task(outlets=[ORDERS, AssetAlias("whatever")])
    def load(*, outlet_events: Any = None) -> None:
        """Update two assets, one of them known only at run time."""
        outlet_events[AssetAlias("whatever")].add(Asset("warehouse://analytics/customers"))

    @task(params={"tables": ["analytics.totals"]})
    def total() -> None:
        """Change a table that only this task names."""

    load() >> total()


with DAG("fail_orders", schedule=None):

    @task(outlets=[ORDERS], retries=1, retry_delay=timedelta(0))
    def explode() -> None:
        """Fail at every try."""
        raise RuntimeError("no orders today")

    explode()


def fail_first(context: Context, result: object) -> None:
    """Fail the first try, after the event was published."""
    if context["ti"].try_number == 1:
        raise RuntimeError("the answer was lost")


with DAG("publish_orders", schedule=None):
    PublishEventOperator(
        task_id="publish",
        type="orders.{{ 'loaded' }}",
        data={"day": "{{ params.get('day', 'monday') }}"},
        retries=1,
        retry_delay=timedelta(0),
        post_execute=fail_first,
    )
