# Which of two definitions Looker takes is not ours to guess: both tables count.
view: orders { sql_table_name: a.orders ;; }
view: orders { sql_table_name: b.orders ;; }
explore: orders {}
