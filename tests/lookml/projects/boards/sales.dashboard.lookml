---
- dashboard: sales
  title: Sales
  elements:
  - title: By day
    name: By day
    explore: orders
  - title: By day again
    name: By day
    model: two
    explore: orders
    listen: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
      Date: orders.date
  - name: merged
    merged_queries:
    - model: two
      explore: orders
    - model: two
      explore: users
  - type: text
    body_text: no explore here

- dashboard: more_sales
  extends: sales
  elements:
  - name: gone
    model: three
    explore: orders
