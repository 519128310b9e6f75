include: "@{orders_table}.view"
explore: orders {}
explore: customers {}
view: customers { sql_table_name: `@{dataset}.@{nobody_defined_this}` ;; }
