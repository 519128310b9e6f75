explore: orders {
  join: items {
    sql: LEFT JOIN UNNEST(${orders.items}) AS items ;;
    relationship: one_to_many
  }
  join: tags {
    sql_table_name: UNNEST(${orders.tags}) ;;
    relationship: one_to_many
  }
  join: orders__extra { sql: , UNNEST(orders.extra) AS orders__extra ;; }
  join: labels { sql: ;; }
  join: raw { sql: LEFT JOIN raw ON raw.id = ${orders.id} JOIN ds.direct USING (id) ;; }
}
view: orders { sql_table_name: ds.orders ;; }
view: items { dimension: sku {} }
view: tags { dimension: tag {} }
view: orders__extra { dimension: note {} }
view: labels { dimension: text { sql: CONCAT('select ', ${orders.note}) ;; } }
view: raw { derived_table: { sql: SELECT id FROM ds.base ;; } }
