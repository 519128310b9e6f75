include: "views.lkml"
include: "layer.lkml"

explore: orders {
  join: users { sql_on: ${orders.user_id} = ${users.id} ;; }
}
explore: +orders {
  join: items { sql_on: ${orders.id} = ${items.order_id} ;; }
}
