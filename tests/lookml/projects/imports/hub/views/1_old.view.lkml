view: +orders { sql_table_name: old.orders ;; }
