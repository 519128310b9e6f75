# A child's base view is its own name, unless it inherits a view_name or a from.
explore: parent {
  extension: required
  join: users { sql_on: 1 = 1 ;; }
}
explore: child { extends: [parent] }
explore: named {
  extension: required
  view_name: orders
}
explore: other { extends: [named, parent]  join: users { from: people } }
view: child { extends: [orders] }
view: orders { sql_table_name: ds.orders ;; }
view: users { sql_table_name: ds.users ;; }
view: people { extends: [users]  sql_table_name: ds.people ;; }
explore: lacking { extends: [nowhere] }
view: lacking { sql_table_name: ds.lacking ;; }
