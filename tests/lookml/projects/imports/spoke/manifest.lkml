project_name: "spoke"
local_dependency: {
  project: "hub"
  override_constant: dataset { value: "spoke_ds" }
}
