include: "*.dashboard"
explore: orders {}
view: orders { sql_table_name: one.orders ;; }
