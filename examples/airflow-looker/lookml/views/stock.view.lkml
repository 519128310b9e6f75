view: stock {
  sql_table_name: analytics.stock ;;

  dimension: product_id {
    primary_key: yes
    type: number
    sql: ${TABLE}.product_id ;;
  }
  dimension: warehouse {
    type: string
    sql: ${TABLE}.warehouse ;;
  }
  measure: on_hand {
    type: sum
    sql: ${TABLE}.on_hand ;;
  }
}
