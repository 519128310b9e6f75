connection: "warehouse"

include: "/views/*.view"
include: "/dashboards/*.dashboard"

datagroup: orders_datagroup {
  label: "Orders"
  description: "Ready when a load of the orders table has finished."
  sql_trigger: SELECT MAX(loaded_at) FROM analytics.load_log WHERE table_name = 'orders' ;;
  max_cache_age: "24 hours"
}

datagroup: stock_datagroup {
  label: "Stock"
  description: "Ready when a load of the stock table has finished."
  sql_trigger: SELECT MAX(loaded_at) FROM analytics.load_log WHERE table_name = 'stock' ;;
  max_cache_age: "24 hours"
}

explore: orders {
  label: "Orders"
  persist_with: orders_datagroup
  join: order_items {
    relationship: one_to_many
    sql_on: ${orders.id} = ${order_items.order_id} ;;
  }
  join: customers {
    relationship: many_to_one
    sql_on: ${orders.customer_id} = ${customers.id} ;;
  }
}

explore: customers {
  label: "Customers"
  persist_with: orders_datagroup
  join: customer_orders {
    relationship: one_to_one
    sql_on: ${customers.id} = ${customer_orders.customer_id} ;;
  }
}

explore: sales_trend {
  label: "Sales trend"
  from: daily_sales
}

explore: stock {
  label: "Stock"
  persist_with: stock_datagroup
  join: products {
    relationship: many_to_one
    sql_on: ${stock.product_id} = ${products.id} ;;
  }
}

explore: traffic {
  label: "Traffic"
  from: sessions
}
