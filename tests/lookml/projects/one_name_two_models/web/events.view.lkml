view: events { sql_table_name: web.events ;; }
