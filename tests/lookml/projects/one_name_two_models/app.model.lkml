include: "app/*.view"
explore: events {}
