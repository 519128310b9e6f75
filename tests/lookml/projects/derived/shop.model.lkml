datagroup: daily { interval_trigger: "24 hours" }
explore: top {}
view: top {
  derived_table: {
    sql: WITH orders AS (SELECT * FROM ds.orders o, o.items) SELECT * FROM orders JOIN ${middle.SQL_TABLE_NAME} USING (id) ;;
    datagroup_trigger: daily
  }
}
view: middle {
  derived_table: {
    create_process: {
      sql_step: CREATE TABLE ${SQL_TABLE_NAME} AS SELECT * FROM ds.step_one ;;
      sql_step: INSERT INTO ${SQL_TABLE_NAME} SELECT * FROM ${model.SQL_TABLE_NAME} ;;
    }
    sql_trigger_value: SELECT MAX(id) FROM ds.not_read ;;
  }
}
view: model {
  derived_table: {
    sql_create: CREATE OR REPLACE MODEL ${SQL_TABLE_NAME} OPTIONS(model_type='kmeans') AS SELECT * FROM `p.ds.input` ;;
    interval_trigger: "12 hours"
  }
}
view: +middle { derived_table: { persist_for: "1 hour" } }
explore: fragment {}
view: fragment { derived_table: { sql: , w AS (SELECT * FROM `ds.shard_20*`) SELECT * FROM w ;; } }
explore: strange {}
view: strange { derived_table: { sql: SELECT * FROM ds.seen WHERE (( ;; } }
