view: orders { sql_table_name: @{dataset}.orders ;; }
view: users { sql_table_name: hub_ds.users ;; }
