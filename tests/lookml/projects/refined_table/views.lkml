view: orders { dimension: id {} }
view: users { sql_table_name: old.users ;; }
view: items { sql_table_name: raw.items ;; }
