project_name: "constants"
constant: dataset { value: "proj.raw" export: override_optional }
constant: orders_table { value: "orders" }
