"""Publishes one event of the DAG author's own making."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_never

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException

from airflow_provider_interlock._client import Receipt, Refused, Unavailable
from airflow_provider_interlock._clock import now
from airflow_provider_interlock._events import CloudEvent, operator_event_id, source_of
from airflow_provider_interlock._settings import instance
from airflow_provider_interlock.hooks.interlock import InterlockHook

try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # Airflow 3.1
    from airflow.exceptions import AirflowFailException  # type: ignore[no-redef]

UNMAPPED = -1  # Airflow's map index of a task that is not mapped


class PublishEventOperator(BaseOperator):
    """Submits one CloudEvent to Interlock and returns its receipt.

    Every try of a task publishes the same event id, so a retry is captured once; clearing the task
    publishes a new one. `source` is by default `airflow://<instance>`.

    Args:
        type: What happened, such as `orders.loaded`.
        subject: What it happened to; by default the DAG's id.
        data: The facts, as JSON values.
        source: Where it happened.
        interlock_conn_id: A connection of type `interlock`.
        kwargs: As for every operator.
    """

    template_fields: Sequence[str] = ("type", "subject", "data", "source", "interlock_conn_id")
    template_fields_renderers = {"data": "json"}  # noqa: RUF012 - Airflow's own declaration
    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        type: str,  # noqa: A002 - CloudEvents' own word
        subject: str = "{{ dag.dag_id }}",
        data: Mapping[str, Any] | None = None,
        source: str | None = None,
        interlock_conn_id: str = InterlockHook.default_conn_name,
        **kwargs: Any,  # noqa: ANN401 - BaseOperator's arguments
    ) -> None:
        super().__init__(**kwargs)
        self.type = type
        self.subject = subject
        self.data = data or {}
        self.source = source
        self.interlock_conn_id = interlock_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the gateway's receipt.

        Raises:
            AirflowFailException: the gateway refuses the event for good; trying again is no use.
            AirflowException: the gateway is unavailable.
        """
        match InterlockHook(self.interlock_conn_id).submit(self._event(context)):
            case Receipt() as receipt:
                return receipt.as_json()
            case Refused(code, detail):
                raise AirflowFailException(f"Interlock refuses the event ({code}): {detail}")
            case Unavailable(reason):
                raise AirflowException(f"Interlock is unavailable: {reason}")
            case answer:
                assert_never(answer)

    def _event(self, context: Context) -> CloudEvent:
        task_instance, name = context["ti"], instance()
        return CloudEvent(
            source=self.source or source_of(name),
            id=operator_event_id(
                instance=name,
                dag_id=task_instance.dag_id,
                run_id=task_instance.run_id,
                task_id=task_instance.task_id,
                map_index=UNMAPPED if task_instance.map_index is None else task_instance.map_index,
                clear_number=context["dag_run"].clear_number or 0,
            ),
            type=self.type,
            subject=self.subject,
            data=self.data,
            time=now(),
        )
