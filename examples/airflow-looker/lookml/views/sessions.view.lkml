# Rebuilt when somebody asks and the last build is older than a day: no datagroup reaches it.
view: sessions {
  derived_table: {
    sql:
      SELECT
        session_id,
        MIN(occurred_at) AS started_at,
        COUNT(*) AS event_count
      FROM analytics.events
      GROUP BY 1 ;;
    persist_for: "24 hours"
  }

  dimension: session_id {
    primary_key: yes
    type: string
    sql: ${TABLE}.session_id ;;
  }
  dimension_group: started {
    type: time
    timeframes: [raw, date, week]
    sql: ${TABLE}.started_at ;;
  }
  measure: count {
    type: count
  }
  measure: events {
    type: sum
    sql: ${TABLE}.event_count ;;
  }
}
