include: "web/*.view"
explore: events {}
