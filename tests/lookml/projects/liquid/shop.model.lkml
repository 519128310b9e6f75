explore: enumerated {}
view: enumerated {
  sql_table_name: ds.{% parameter grain %} ;;
  parameter: grain {
    type: unquoted
    allowed_value: { value: "daily" }
    allowed_value: { value: "weekly" }
  }
}
explore: free {}
view: free {
  sql_table_name: ds.{% parameter grain %} ;;
  parameter: grain { type: unquoted }
}
explore: attribute {}
view: attribute {
  sql_table_name: {{ _user_attributes['dataset'] }}.sessions_fact ;;
}
explore: branches {}
view: branches {
  sql_table_name:
    {% if branches.live._is_filtered %} ds.live
    {%- elsif branches.old._is_filtered -%} ds.old
    {% else %} ds.both {% endif %} ;;
}
explore: suffix {}
view: suffix {
  sql_table_name: ds.orders{% if suffix.x._in_query %}_wide{% endif %} ;;
}
explore: query {}
view: query {
  derived_table: {
    sql:
      SELECT * FROM ds.a
      {% if query.b._in_query %} JOIN ds.b USING (id) {% endif %}
      {% comment %} JOIN ds.never USING (id) {% endcomment %}
      WHERE {% condition query.day %} created_at {% endcondition %}
        AND region = '{{ _user_attributes["region"] }}'
        AND day >= {% date_start query.day %} ;;
  }
}
