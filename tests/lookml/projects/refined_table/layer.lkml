view: +orders { sql_table_name: raw.orders ;; }
view: +users {
  label: "People"
  sql_table_name: raw.users ;;
}
view: +items { sql_table_name: ${EXTENDED}_v2 ;; }
