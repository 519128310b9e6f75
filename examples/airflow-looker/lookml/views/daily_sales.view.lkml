# Rebuilt once a day by its own trigger: no datagroup reaches it.
view: daily_sales {
  derived_table: {
    sql:
      SELECT
        DATE(orders.created_at) AS sold_on,
        SUM(items.quantity * items.unit_price) AS revenue
      FROM analytics.orders AS orders
      JOIN analytics.order_items AS items ON items.order_id = orders.id
      GROUP BY 1 ;;
    sql_trigger_value: SELECT CURRENT_DATE() ;;
  }

  dimension: sold_on {
    primary_key: yes
    type: date
    datatype: date
    sql: ${TABLE}.sold_on ;;
  }
  measure: revenue {
    type: sum
    value_format_name: eur
    sql: ${TABLE}.revenue ;;
  }
}
