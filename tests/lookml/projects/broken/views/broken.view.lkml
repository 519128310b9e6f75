view: +orders {
  sql_table_name: ds.elsewhere
}
