project_name: "shop"
