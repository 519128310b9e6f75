explore: orders {}
view: orders { dimension: id {} }
