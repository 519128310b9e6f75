explore: orders {
  join: facts { sql_on: ${facts.id} = ${orders.id} ;; }
}
view: orders { sql_table_name: ds.orders ;; }
view: facts {
  derived_table: {
    explore_source: orders { column: id { field: orders.id } }
    persist_for: "1 hour"
  }
}
explore: lost {}
view: lost { derived_table: { explore_source: nowhere { column: id {} } } }
explore: round { extends: [trip] }
explore: trip { extends: [round] }
view: round { sql_table_name: ds.round ;; }
view: trip { sql_table_name: ds.trip ;; }
