view: events { sql_table_name: app.events ;; }
