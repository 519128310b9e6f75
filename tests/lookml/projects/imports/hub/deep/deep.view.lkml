view: deep { sql_table_name: hub_ds.deep ;; }
