include: "views/*.view"
include: "*.dashboard"
explore: orders {}
