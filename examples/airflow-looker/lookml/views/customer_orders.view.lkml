view: customer_orders {
  derived_table: {
    sql:
      SELECT customer_id, COUNT(*) AS order_count
      FROM ${orders.SQL_TABLE_NAME}
      GROUP BY 1 ;;
    datagroup_trigger: orders_datagroup
  }

  dimension: customer_id {
    primary_key: yes
    hidden: yes
    type: number
    sql: ${TABLE}.customer_id ;;
  }
  dimension: order_count {
    type: number
    sql: ${TABLE}.order_count ;;
  }
  measure: average_orders {
    type: average
    value_format_name: decimal_1
    sql: ${order_count} ;;
  }
}
