view: products {
  sql_table_name: analytics.products ;;

  dimension: id {
    primary_key: yes
    type: number
    sql: ${TABLE}.id ;;
  }
  dimension: name {
    type: string
    sql: ${TABLE}.name ;;
  }
  dimension: category {
    type: string
    sql: ${TABLE}.category ;;
  }
}
