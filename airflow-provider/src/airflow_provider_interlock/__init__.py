"""Apache Airflow's side of Interlock: what finished, told durably and once."""

__version__ = "0.1.0"
