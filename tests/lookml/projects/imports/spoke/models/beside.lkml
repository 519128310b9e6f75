explore: orders {}
explore: users {}
