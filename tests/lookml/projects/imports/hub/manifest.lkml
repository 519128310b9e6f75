project_name: "hub"
constant: dataset { value: "hub_ds" export: override_required }
