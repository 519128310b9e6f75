- dashboard: stock
  title: Stock
  layout: newspaper
  elements:
  - name: stock_by_category
    title: Stock by category
    model: shop
    explore: stock
    type: looker_column
    fields: [products.category, stock.on_hand]
    sorts: [stock.on_hand desc]
    limit: 50
