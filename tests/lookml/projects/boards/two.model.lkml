include: "/**/*.dashboard.lookml"
explore: orders {}
explore: users {}
view: orders { sql_table_name: two.orders ;; }
view: users { sql_table_name: two.users ;; }
