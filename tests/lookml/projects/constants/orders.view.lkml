view: orders { sql_table_name: `@{dataset}.@{orders_table}` ;; }
