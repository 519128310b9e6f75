- dashboard: customers
  title: Customers
  layout: newspaper
  elements:
  - name: top_customers
    title: Top customers
    model: shop
    explore: customers
    type: looker_grid
    fields: [customers.name, customers.country, customer_orders.order_count]
    sorts: [customer_orders.order_count desc]
    limit: 20
