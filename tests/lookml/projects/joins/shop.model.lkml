persist_with: nightly
datagroup: nightly { sql_trigger: SELECT CURRENT_DATE() ;; }

explore: orders {
  join: buyers { from: users  sql_on: ${buyers.id} = ${orders.buyer_id} ;; }
  join: archive {
    from: users
    sql_table_name: ds.users_archive ;;
    sql_on: ${archive.id} = ${orders.buyer_id} ;;
  }
}
explore: renamed { from: users  view_name: people }
explore: own_table { view_name: users  sql_table_name: ds.users_2024 ;;  persist_for: "1 hour" }
explore: subquery {
  from: users
  persist_with: other
  sql_always_where: ${id} IN (SELECT id FROM ds.allowed) ;;
}
explore: ghost { join: nobody { sql_on: 1 = 1 ;; } view_name: users }
view: orders { sql_table_name: ds.orders ;; }
view: users {
  sql_table_name: ds.users ;;
  dimension: tier { sql: (SELECT MAX(tier) FROM ${tiers.SQL_TABLE_NAME}) ;; }
}
view: tiers { sql_table_name: ds.tiers ;; }
