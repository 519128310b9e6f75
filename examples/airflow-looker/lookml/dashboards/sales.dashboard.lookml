- dashboard: sales
  title: Sales
  layout: newspaper
  elements:
  - name: orders_by_day
    title: Orders by day
    model: shop
    explore: orders
    type: looker_line
    fields: [orders.created_date, orders.count]
    sorts: [orders.created_date desc]
    limit: 90
  - name: revenue_trend
    title: Revenue trend
    model: shop
    explore: sales_trend
    type: looker_area
    fields: [sales_trend.sold_on, sales_trend.revenue]
    sorts: [sales_trend.sold_on desc]
    limit: 90
