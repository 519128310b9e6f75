- dashboard: traffic
  title: Traffic
  layout: newspaper
  elements:
  - name: sessions_by_day
    title: Sessions by day
    explore: traffic
    type: looker_line
    fields: [traffic.started_date, traffic.count]
    sorts: [traffic.started_date desc]
    limit: 90
