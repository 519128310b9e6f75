view: order_items {
  sql_table_name: analytics.order_items ;;

  dimension: id {
    primary_key: yes
    type: number
    sql: ${TABLE}.id ;;
  }
  dimension: order_id {
    hidden: yes
    type: number
    sql: ${TABLE}.order_id ;;
  }
  dimension: product_id {
    hidden: yes
    type: number
    sql: ${TABLE}.product_id ;;
  }
  measure: revenue {
    type: sum
    value_format_name: eur
    sql: ${TABLE}.quantity * ${TABLE}.unit_price ;;
  }
}
