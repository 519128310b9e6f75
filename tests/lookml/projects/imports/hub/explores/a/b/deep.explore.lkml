include: "/hub/deep/deep.view"
explore: deep {}
